import { type CapabilityKind, matchesCapability, type PluginConfig } from "@orchestrator/config";
import type { PluginManifest, PromptDefinition, ToolDefinition } from "@orchestrator/protocol";
import type { SupervisedPlugin } from "@orchestrator/supervisor";
import { type Caller, type Needs, NO_NEEDS } from "./policy.ts";
import type { Port } from "./port.ts";
import type { RouteTable } from "./routes.ts";

/** What a plugin offers, as it said when it started. */
export interface Offer {
  readonly tools: readonly ToolDefinition[];
  readonly prompts: readonly PromptDefinition[];
  readonly storage: readonly string[];
  readonly ai: readonly string[];
}

/** Everything that the hub knows of one configured plugin. */
export class PluginEntry {
  readonly config: PluginConfig;
  readonly supervised: SupervisedPlugin;
  /** The id in its own manifest, which its certificates carry; the config's id until it is known. */
  manifestId: string;
  /** What it sent when it registered on its own connection. */
  manifest: PluginManifest | undefined;
  /** Kept while the plugin is away, so that a call in between is told "unavailable" and not "no such tool". */
  offer: Offer | undefined;
  /** The connection that the hub calls it on, while it is ready. */
  link: Port | undefined;
  callsInFlight = 0;
  callsTotal = 0;

  constructor(config: PluginConfig, supervised: SupervisedPlugin) {
    this.config = config;
    this.supervised = supervised;
    this.manifestId = config.id;
  }

  get id(): string {
    return this.config.id;
  }

  get isReady(): boolean {
    return this.link !== undefined;
  }

  get caller(): Caller {
    return { id: this.manifestId, kind: "plugin" };
  }

  /** The config's word, else the manifest's. */
  get needs(): Needs {
    const manifest = this.manifest;
    const { needsStorage, needsTools, needsAi, needsEvents } = this.config;
    return {
      storage: needsStorage ?? manifest?.needsStorage ?? NO_NEEDS.storage,
      tools: needsTools ?? manifest?.needsTools ?? NO_NEEDS.tools,
      ai: needsAi ?? manifest?.needsAi ?? NO_NEEDS.ai,
      events: needsEvents ?? manifest?.needsEvents ?? NO_NEEDS.events,
    };
  }

  /** The name under which the hub offers it. */
  outsideName(table: RouteTable, name: string): string {
    return this.config.aliases.find((alias) => alias.kind === table && alias.name === name)?.as ?? name;
  }

  /** The operator said that this plugin wins a collision over this name. */
  isPreferred(kind: CapabilityKind, name: string): boolean {
    return this.config.prefer.some((pattern) => matchesCapability(pattern, kind, name));
  }
}
