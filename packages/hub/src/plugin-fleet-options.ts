import type { HubConfig, PluginConfig } from "@orchestrator/config";
import type { Authority } from "@orchestrator/identity";
import type { PluginEvent, PluginState, RestartPolicy } from "@orchestrator/supervisor";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import type { HubLog } from "./hub-log.ts";
import type { DialectOptions } from "./orchestra-dialect.ts";
import type { PluginEntry } from "./plugin-entry.ts";

/** What of the config the fleet goes by, beside the plugins. */
export type FleetConfig = Pick<HubConfig, "pluginDirs" | "directory" | "workspace" | "defaultTimeoutMs" | "notify">;

export interface FleetOptions {
  readonly plugins: readonly PluginConfig[];
  /** Where more of them are found, and what those have as defaults. */
  readonly config: FleetConfig & Pick<HubConfig, "plugins">;
  readonly workspace: string;
  readonly stateDir: string;
  /** How many plugins may be starting at once; default: twice the processors, at least 4. */
  readonly maxStartsAtOnce?: number | undefined;
  readonly authority: Authority;
  readonly wheel: DeadlineWheel;
  readonly log: HubLog;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly restart?: Partial<RestartPolicy> | undefined;
  readonly shutdownMs?: number | undefined;
  readonly termMs?: number | undefined;
  /** How long a program of a plugin directory may take to say what it is. */
  readonly metadataMs?: number | undefined;
  /** All plugins wait this long for the slowest program to print its manifest; after that it is asked again when it starts. */
  readonly identifyMs?: number | undefined;
  /** A plugin that takes longer than this to start mostly waits for something, and lets the next one begin. */
  readonly slotMs?: number | undefined;
  /** Where plugins reach the hub; known once it listens. */
  readonly hubAddress: () => string;
  readonly dialect: Pick<DialectOptions, "accept" | "onReady" | "onGone">;
  readonly onState: (plugin: PluginEntry, state: PluginState, previous: PluginState) => void;
  /** Plugins came or went, or are known now. */
  readonly onChange: () => void;
  /** Whether a plugin listens to events, so that it must not sleep. */
  readonly isListening: (plugin: PluginEntry) => boolean;
  /** What is worth keeping of what happens to a plugin. */
  readonly onEvent: (event: PluginEvent) => void;
}
