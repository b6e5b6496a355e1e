import { isAbsolute } from "node:path";
import type { PluginConfig } from "@orchestrator/config";
import type { Authority } from "@orchestrator/identity";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import {
  describeState,
  PluginProcess,
  type PluginState,
  type RestartPolicy,
  SupervisedPlugin,
  startInOrder,
} from "@orchestrator/supervisor";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import type { HubLog, LogLevel } from "./hub-log.ts";
import { hostFlags, interpreted, pluginEnv } from "./launch.ts";
import { ManifestProbe } from "./manifest-probe.ts";
import { attachOrchestra, type DialectOptions } from "./orchestra-dialect.ts";
import { PluginEntry } from "./plugin-entry.ts";

export interface FleetOptions {
  readonly plugins: readonly PluginConfig[];
  readonly workspace: string;
  readonly stateDir: string;
  readonly authority: Authority;
  readonly wheel: DeadlineWheel;
  readonly log: HubLog;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly restart?: Partial<RestartPolicy> | undefined;
  readonly shutdownMs?: number | undefined;
  readonly termMs?: number | undefined;
  /** Where plugins reach the hub; known once it listens. */
  readonly hubAddress: () => string;
  readonly dialect: Pick<DialectOptions, "accept" | "onReady" | "onGone">;
  readonly onState: (plugin: PluginEntry, state: PluginState, previous: PluginState) => void;
}

/** All configured plugins, from first start to last stop. */
export class PluginFleet {
  readonly plugins: readonly PluginEntry[];
  readonly #options: FleetOptions;
  readonly #probe = new ManifestProbe();
  /** Nothing is started any more. */
  #stopped = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.plugins = options.plugins.filter((config) => config.enabled).map((config) => this.#entry(config));
  }

  find(manifestId: string): PluginEntry | undefined {
    return this.plugins.find((plugin) => plugin.manifestId === manifestId);
  }

  /** Starts all of them, as far as they can; resolves when each is ready, backing off or failed. */
  async start(): Promise<void> {
    const items = this.plugins.map(
      (plugin) => [plugin.id, { dependsOn: plugin.config.dependsOn, value: plugin }] as const,
    );
    await startInOrder(new Map(items), async (plugin) => {
      if (!this.#stopped) await plugin.supervised.start();
    });
  }

  /** All at once; resolves when every process is gone. */
  async stop(reason: string): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.plugins.map((plugin) => plugin.supervised.stop(reason)));
  }

  #entry(config: PluginConfig): PluginEntry {
    const { restart, shutdownMs, termMs } = this.#options;
    const supervised: SupervisedPlugin = new SupervisedPlugin({
      id: config.id,
      launch: (signal) => this.#launch(entry, signal),
      attach: (process, signal) =>
        attachOrchestra(entry, process, signal, { ...this.#options, ...this.#options.dialect }),
      restart: { when: config.restart, ...restart },
      startTimeoutMs: config.startTimeoutMs,
      ...(shutdownMs === undefined ? {} : { shutdownMs }),
      ...(termMs === undefined ? {} : { termMs }),
      onState: (state, previous) => {
        this.#report(config.id, state);
        this.#options.onState(entry, state, previous);
      },
    });
    const entry = new PluginEntry(config, supervised);
    return entry;
  }

  async #launch(plugin: PluginEntry, signal: AbortSignal): Promise<PluginProcess> {
    const { config } = plugin;
    const { authority, workspace, log } = this.#options;
    const env = pluginEnv(config, this.#options, this.#options.env);
    const cwd = config.cwd ?? workspace;
    const command = interpreted(config.program, config.args);
    if (!isAbsolute(config.program) && config.program.includes("/")) {
      throw new HubError(ErrorCode.InvalidArgument, `Program of plugin "${plugin.id}" must be absolute or a bare name`);
    }
    const manifest = await this.#probe.read({ command, cwd, env }, signal);
    if (manifest !== undefined) {
      this.#claimId(plugin, manifest.id);
      plugin.manifest ??= manifest;
    }
    // Plugins that know the variable use the socket; others ignore both and serve QUIC.
    const withLink = process.platform !== "win32";
    const certsDir = await authority.pluginDirectory(plugin.manifestId);
    return await PluginProcess.launch({
      id: plugin.id,
      command: [...command, ...hostFlags(this.#options.hubAddress(), certsDir)],
      cwd,
      env: { ...(withLink ? { ORCHESTRATOR_LINK: "fd:3" } : {}), ...env },
      withLink,
      onLine: (line, stream) => log.write(stream === "stderr" ? "info" : "debug", plugin.id, line),
    });
  }

  /** The id in the manifest becomes the plugin's identity, so no two plugins may have the same. */
  #claimId(plugin: PluginEntry, manifestId: string): void {
    const holder = this.plugins.find((other) => other !== plugin && other.manifestId === manifestId);
    if (holder !== undefined) {
      const what = `Plugins "${holder.id}" and "${plugin.id}" both say that they are "${manifestId}". Disable one of them`;
      throw new HubError(ErrorCode.AlreadyExists, what);
    }
    plugin.manifestId = manifestId;
  }

  #report(id: string, state: PluginState): void {
    const level: LogLevel = state.name === "failed" ? "error" : state.name === "backoff" ? "warn" : "info";
    const why = describeState(state);
    const [first = "", ...rest] = why.split("\n");
    const started = state.name === "ready" ? ` after ${Math.round(state.startMs)} ms` : "";
    this.#options.log.write(level, id, `${state.name}${started}${first === "" ? "" : `: ${first}`}`);
    for (const line of rest) this.#options.log.write(level, id, line);
  }
}
