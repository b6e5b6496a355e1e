import { availableParallelism } from "node:os";
import { isAbsolute, join } from "node:path";
import { foundPlugin, type HubConfig, type PluginConfig } from "@orchestrator/config";
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
import { ManifestProbe, type Probed, type ProbeSpec } from "./manifest-probe.ts";
import { attachOrchestra, type DialectOptions } from "./orchestra-dialect.ts";
import { PluginEntry } from "./plugin-entry.ts";
import type { EventToKeep } from "./plugin-events.ts";
import { claimIds } from "./plugin-ids.ts";
import { PluginLogs } from "./plugin-logs/plugin-logs.ts";
import { Slots } from "./slots.ts";
import { discover } from "./unix-json/discovery.ts";
import { UnixJsonDialect } from "./unix-json-dialect.ts";

/** All of them wait this long for the slowest program to print its manifest; after that it is asked again when it starts. */
const PROBE_PATIENCE_MS = 2_000;
/** A plugin that takes longer than this to start mostly waits for something, and lets the next one begin. */
const SLOT_MS = 5_000;

export interface FleetOptions {
  readonly plugins: readonly PluginConfig[];
  /** Where more of them are found, and what those have as defaults. */
  readonly config: Pick<HubConfig, "pluginDirs" | "directory" | "workspace" | "defaultTimeoutMs">;
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
  /** Where plugins reach the hub; known once it listens. */
  readonly hubAddress: () => string;
  readonly dialect: Pick<DialectOptions, "accept" | "onReady" | "onGone">;
  readonly onState: (plugin: PluginEntry, state: PluginState, previous: PluginState) => void;
  /** What is worth keeping of what happens to a plugin. */
  readonly onEvent: (event: EventToKeep) => void;
}

/** All configured plugins, from first start to last stop. */
export class PluginFleet {
  /** What plugins write, in a file for each. */
  readonly logs: PluginLogs;
  readonly #plugins: PluginEntry[];
  readonly #unixJson: UnixJsonDialect;
  #problems: readonly string[] = [];
  readonly #options: FleetOptions;
  readonly #probe = new ManifestProbe();
  readonly #slots: Slots;
  /** Nothing is started any more. */
  readonly #stopped = new AbortController();

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#slots = new Slots(options.maxStartsAtOnce ?? Math.max(4, 2 * availableParallelism()));
    this.logs = new PluginLogs({
      directory: join(options.stateDir, "logs", "plugins"),
      onError: (id, { message }) =>
        options.log.write("error", "hub", `The log of plugin "${id}" is no longer written: ${message}`),
    });
    this.#unixJson = new UnixJsonDialect({
      ...options,
      ...options.dialect,
      logPath: (id) => this.logs.pathOf(id),
    });
    this.#plugins = options.plugins.filter((config) => config.enabled).map((config) => this.#entry(config));
  }

  get plugins(): readonly PluginEntry[] {
    return this.#plugins;
  }

  /** What was found in plugin directories and cannot be used, as one line each. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  find(manifestId: string): PluginEntry | undefined {
    return this.plugins.find((plugin) => plugin.manifestId === manifestId);
  }

  /** Starts all of them, as far as they can; resolves when each is ready, backing off or failed. */
  async start(): Promise<void> {
    await this.#discover();
    await this.#identify();
    const items = this.plugins.map(
      (plugin) => [plugin.id, { dependsOn: plugin.config.dependsOn, value: plugin }] as const,
    );
    await startInOrder(new Map(items), async (plugin) => {
      const begin = async () => {
        if (!this.#stopped.signal.aborted) await plugin.supervised.start();
      };
      await this.#slots.run(begin, Math.min(SLOT_MS, plugin.config.startTimeoutMs));
    });
  }

  /** All at once; resolves when every process is gone. */
  async stop(reason: string): Promise<void> {
    this.#stopped.abort(new HubError(ErrorCode.Cancelled, reason));
    await Promise.all(this.plugins.map((plugin) => plugin.supervised.stop(reason)));
    this.#unixJson.close();
    await this.logs.close();
  }

  /** An operator's restart: the program is asked for its manifest anew. */
  async restart(plugin: PluginEntry): Promise<void> {
    this.#probe.forget(plugin.program);
    await plugin.supervised.restart();
  }

  /** Asks every program who it is before any of them runs, so that config order alone decides who gets an id that two claim. */
  async #identify(): Promise<void> {
    const ask = async (plugin: PluginEntry) => {
      const spec = this.#probeSpec(plugin);
      const timeoutMs = Math.min(PROBE_PATIENCE_MS, spec.timeoutMs);
      try {
        const probed = await this.#ask(plugin, { ...spec, timeoutMs }, this.#stopped.signal);
        return [plugin, probed.manifest?.id] as const;
      } catch {
        // It comes up again when the plugin is started, and is told then.
        return [plugin, undefined] as const;
      }
    };
    const answers = await Promise.all(
      this.plugins.map((plugin) => this.#slots.run(() => ask(plugin), PROBE_PATIENCE_MS)),
    );
    claimIds(answers);
  }

  /** Plugins that no entry of the config names: programs in directories, which say themselves what they are. */
  async #discover(): Promise<void> {
    const { plugins, config, workspace, env, log } = this.#options;
    if (config.pluginDirs.length === 0) return;
    const nobody = foundPlugin("unnamed", workspace, config);
    const { found, problems } = await discover({
      directories: config.pluginDirs,
      probe: this.#unixJson.probe,
      cwd: workspace,
      env: pluginEnv(nobody, this.#options, env),
      taken: new Map(plugins.map(({ id }) => [id, "an entry of the configuration"])),
      configured: plugins.map(({ program }) => program),
      signal: this.#stopped.signal,
    });
    this.#problems = problems;
    for (const problem of problems) log.write("error", "hub", problem);
    for (const { file, metadata } of found) this.#plugins.push(this.#entry(foundPlugin(metadata.id, file, config)));
  }

  /** What the program says that it is. */
  async #ask(plugin: PluginEntry, spec: ProbeSpec, signal: AbortSignal): Promise<Probed> {
    if (plugin.config.dialect === "orchestra") return await this.#probe.read(spec, signal);
    const probed = await this.#unixJson.identify(spec, signal);
    plugin.declare(probed);
    // Known before it runs, so that a call to one that does not is told so.
    plugin.offer ??= this.#unixJson.offer(plugin);
    return probed;
  }

  #probeSpec(plugin: PluginEntry): ProbeSpec {
    const { config } = plugin;
    return {
      command: interpreted(config.program, config.args),
      cwd: config.cwd ?? this.#options.workspace,
      env: pluginEnv(config, this.#options, this.#options.env),
      // The start itself has what is left.
      timeoutMs: Math.ceil(config.startTimeoutMs / 2),
    };
  }

  #entry(config: PluginConfig): PluginEntry {
    const { restart, shutdownMs, termMs } = this.#options;
    const supervised: SupervisedPlugin = new SupervisedPlugin({
      id: config.id,
      launch: (signal) => this.#launch(entry, signal),
      attach: (process, signal) =>
        config.dialect === "unix-json"
          ? this.#unixJson.attach(entry, process, signal)
          : attachOrchestra(entry, process, signal, { ...this.#options, ...this.#options.dialect }),
      restart: { when: config.restart, ...restart },
      startTimeoutMs: config.startTimeoutMs,
      ...(shutdownMs === undefined ? {} : { shutdownMs }),
      ...(termMs === undefined ? {} : { termMs }),
      onEvent: this.#options.onEvent,
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
    const { authority } = this.#options;
    const spec = this.#probeSpec(plugin);
    const { command, cwd, env } = spec;
    if (!isAbsolute(config.program) && config.program.includes("/")) {
      throw new HubError(ErrorCode.InvalidArgument, `Program of plugin "${plugin.id}" must be absolute or a bare name`);
    }
    const probed = await this.#ask(plugin, spec, signal);
    this.#claimId(plugin, probed.manifest?.id ?? (plugin.manifestId || config.id));
    plugin.declare(probed);
    const onLine = (line: string, stream: "stdout" | "stderr") => this.#output(config.id, line, stream);
    if (config.dialect === "unix-json") {
      return await PluginProcess.launch({
        id: plugin.id,
        command,
        cwd,
        env: this.#unixJson.environment(plugin, env),
        onLine,
      });
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
      onLine,
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

  #output(id: string, line: string, stream: "stdout" | "stderr"): void {
    const level = stream === "stderr" ? "info" : "debug";
    this.#options.log.write(level, id, line);
    this.logs.write(id, level, line);
  }

  #report(id: string, state: PluginState): void {
    const level: LogLevel = state.name === "failed" ? "error" : state.name === "backoff" ? "warn" : "info";
    const why = describeState(state);
    const [first = "", ...rest] = why.split("\n");
    const started = state.name === "ready" ? ` after ${Math.round(state.startMs)} ms` : "";
    // Not counted for the plugin: however much it writes itself, what became of it is told.
    const { log } = this.#options;
    log.writeAbout("supervisor", level, id, `${state.name}${started}${first === "" ? "" : `: ${first}`}`);
    for (const line of rest) log.writeAbout("supervisor", level, id, line);
    this.logs.write(id, level, `${state.name}${started}${first === "" ? "" : `: ${first}`}`);
  }
}
