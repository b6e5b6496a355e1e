import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { HubConfig, PluginConfig } from "@orchestrator/config";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { type PluginEvent, ProcessGuard, Rounds, SupervisedPlugin, startInOrder } from "@orchestrator/supervisor";
import { attachOrchestra } from "./orchestra-dialect.ts";
import { PluginEntry } from "./plugin-entry.ts";
import type { FleetConfig, FleetOptions } from "./plugin-fleet-options.ts";
import { claimIds } from "./plugin-ids.ts";
import { PluginLogs } from "./plugin-logs/plugin-logs.ts";
import { PluginReports } from "./plugin-reports.ts";
import { Slots } from "./slots.ts";
import { Notifier } from "./supervision/notifier.ts";
import { OfferCache } from "./supervision/offer-cache.ts";
import { PluginCommands } from "./supervision/plugin-commands.ts";
import { PluginLauncher } from "./supervision/plugin-launcher.ts";
import { PluginSwitches } from "./supervision/plugin-switches.ts";
import { findPlugins } from "./unix-json/find-plugins.ts";
import { UnixJsonDialect } from "./unix-json-dialect.ts";

const IDENTIFY_MS = 2_000;
const SLOT_MS = 5_000;

/** Why a lazy plugin does not run. */
const ASLEEP = "it starts with the first call";

/** All configured plugins, from first start to last stop. */
export class PluginFleet {
  /** What plugins write, in a file for each. */
  readonly logs: PluginLogs;
  /** Ends what would stay behind, and tells what plugins use. */
  readonly guard: ProcessGuard;
  /** What operators and calls may ask for. */
  readonly commands: PluginCommands;
  #plugins: readonly PluginEntry[] = [];
  #problems: readonly string[] = [];
  readonly #options: FleetOptions;
  readonly #reports: PluginReports;
  readonly #unixJson: UnixJsonDialect;
  readonly #launcher: PluginLauncher;
  readonly #switches: PluginSwitches;
  readonly #offers: OfferCache;
  readonly #notifier: Notifier;
  readonly #rounds = new Rounds();
  readonly #slots: Slots;
  /** Nothing is started any more. */
  readonly #stopped = new AbortController();
  #reloading: Promise<unknown> = Promise.resolve();

  constructor(options: FleetOptions) {
    this.#options = options;
    const { log, stateDir } = options;
    this.#slots = new Slots(options.maxStartsAtOnce ?? Math.max(4, 2 * availableParallelism()));
    this.logs = new PluginLogs({
      directory: join(stateDir, "logs", "plugins"),
      onError: (id, { message }) =>
        log.write("error", "hub", `The log of plugin "${id}" is not written until it can be: ${message}`),
    });
    this.#reports = new PluginReports(log, this.logs);
    this.#switches = new PluginSwitches(stateDir, (text) => log.write("warn", "hub", text));
    this.#offers = new OfferCache(stateDir);
    this.guard = new ProcessGuard({ stateDir, onTrouble: (text) => log.write("warn", "hub", text) });
    const { env, workspace: cwd, config } = options;
    this.#notifier = new Notifier({ config: config.notify, log, guard: this.guard, cwd, env });
    this.#unixJson = new UnixJsonDialect({
      ...options,
      guard: this.guard,
      ...options.dialect,
      logPath: (id) => this.logs.pathOf(id),
    });
    this.#launcher = new PluginLauncher({
      ...options,
      guard: this.guard,
      unixJson: this.#unixJson,
      plugins: () => this.#plugins,
      onLine: (id, line, stream) => this.#reports.output(id, line, stream),
    });
    this.commands = new PluginCommands({
      plugins: () => this.#plugins,
      switches: this.#switches,
      log,
      isStopping: () => this.#stopped.signal.aborted,
      start: (plugin) => this.#startAll([plugin]),
      inTurn: (plugin, start) => this.#inTurn(plugin.config, start),
      forget: (plugin) => this.#launcher.forget(plugin),
      ask: (plugin) => this.#launcher.ask(plugin, this.#stopped.signal),
      onSwitched: options.onChange,
      onEvent: (event) => options.onEvent(event),
    });
    this.#plugins = options.plugins.map((config) => this.#entry(config));
  }

  /** In config order, those that are switched off among them. */
  get plugins(): readonly PluginEntry[] {
    return this.#plugins;
  }

  /** What was found in plugin directories and cannot be used, as one line each. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  find(manifestId: string): PluginEntry | undefined {
    return this.#plugins.find((plugin) => plugin.enabled && plugin.manifestId === manifestId);
  }

  /** Starts all of them, as far as they can; resolves when each is ready, asleep, backing off or failed. */
  async start(): Promise<void> {
    // A reload that is asked for meanwhile comes after it.
    const done = this.#start();
    this.#reloading = done.catch(() => {});
    await done;
  }

  async #start(): Promise<void> {
    const found = await this.#discover(this.#options.config);
    this.#plugins = [...this.#plugins, ...found.map((config) => this.#entry(config))];
    await this.#startAll(this.#plugins);
  }

  /** All at once; resolves when every process is gone. */
  async stop(reason: string): Promise<void> {
    this.#stopped.abort(new HubError(ErrorCode.Cancelled, reason));
    await Promise.all(this.#plugins.map((plugin) => plugin.supervised.stop(reason)));
    this.#notifier.stop();
    this.#unixJson.close();
    await this.logs.close();
  }

  /**
   * Applies another config: plugins that are new are started, those that are gone stopped, those that changed restarted; the
   * others notice nothing. One after the other when asked for more than once.
   */
  async reload(config: FleetConfig & Pick<HubConfig, "plugins">): Promise<void> {
    const done = this.#reloading.then(() => this.#reload(config));
    this.#reloading = done.catch(() => {});
    await done;
  }

  async #reload(config: FleetConfig & Pick<HubConfig, "plugins">): Promise<void> {
    const wanted = [...config.plugins, ...(await this.#discover(config))];
    if (this.#stopped.signal.aborted) return;
    const before = new Map(this.#plugins.map((plugin) => [plugin.id, plugin]));
    const kept = new Map<string, PluginEntry>();
    for (const next of wanted) {
      const known = before.get(next.id);
      if (known !== undefined && sameConfig(known.config, next)) kept.set(next.id, known);
    }
    const leaving = [...before.values()].filter((plugin) => !kept.has(plugin.id));
    const ids = new Set(wanted.map(({ id }) => id));
    for (const plugin of leaving) {
      plugin.isRemoved = true;
      plugin.enabled = false;
    }
    await Promise.all(
      leaving.map(({ id, supervised }) =>
        supervised.stop(ids.has(id) ? "its configuration has changed" : "it is no longer in the configuration"),
      ),
    );
    if (this.#stopped.signal.aborted) return;
    this.#plugins = wanted.map((next) => kept.get(next.id) ?? this.#entry(next));
    this.#options.onChange();
    await this.#startAll(this.#plugins.filter((plugin) => !kept.has(plugin.id)));
  }

  /** Those among them that are to run. */
  async #startAll(plugins: readonly PluginEntry[]): Promise<void> {
    const starting = plugins.filter((plugin) => plugin.enabled);
    await this.#identify(starting.filter((plugin) => plugin.supervised.pid === 0));
    const ids = new Set(starting.map(({ id }) => id));
    const items = starting.map((plugin) => {
      // What runs already, or is switched off, is not waited for.
      const dependsOn = plugin.config.dependsOn.filter((id) => ids.has(id));
      return [plugin.id, { dependsOn, value: plugin }] as const;
    });
    await startInOrder(new Map(items), (plugin) => this.#inTurn(plugin.config, () => this.#begin(plugin)));
  }

  /** Not more than so many start at the same time, at the start of the hub and after crashes. */
  async #inTurn<T>({ startTimeoutMs }: PluginConfig, start: () => Promise<T>): Promise<T> {
    return await this.#slots.run(start, Math.min(this.#options.slotMs ?? SLOT_MS, startTimeoutMs));
  }

  async #begin(plugin: PluginEntry): Promise<void> {
    if (this.#stopped.signal.aborted || !plugin.enabled) return;
    const { supervised } = plugin;
    if (!plugin.isLazy) {
      await supervised.start();
      return;
    }
    if (await this.#knows(plugin)) return;
    // The question may have taken long: the hub may have stopped meanwhile, or somebody has switched the plugin off.
    if (this.#stopped.signal.aborted || !plugin.enabled) return;
    const state = await supervised.start("it has never said what it offers");
    const isNeeded = plugin.inFlight.calls > 0 || this.#options.isListening(plugin);
    if (state.name === "ready" && !isNeeded) await supervised.stop(ASLEEP);
  }

  /** Whether it is known what a lazy plugin offers, so that it need not run. */
  async #knows(plugin: PluginEntry): Promise<boolean> {
    try {
      const probed = await this.#launcher.ask(plugin, this.#stopped.signal);
      const offer = this.#offers.read(plugin.config, probed.program);
      if (offer === undefined && plugin.config.dialect === "orchestra") return false;
      plugin.declare(probed);
      plugin.offer = offer ?? plugin.offer;
      this.#options.onChange();
      return true;
    } catch {
      // The start tells what is wrong.
      return false;
    }
  }

  /** Asks programs who they are before any of them runs, so that config order alone decides who gets an id that two claim. */
  async #identify(plugins: readonly PluginEntry[]): Promise<void> {
    const patienceMs = this.#options.identifyMs ?? IDENTIFY_MS;
    const ask = async (plugin: PluginEntry) => {
      try {
        const { manifest } = await this.#launcher.ask(plugin, this.#stopped.signal, patienceMs);
        return [plugin, manifest?.id] as const;
      } catch {
        // It comes up again when the plugin is started, and is told then.
        return [plugin, undefined] as const;
      }
    };
    const answers = plugins.map((plugin) => this.#slots.run(() => ask(plugin), patienceMs));
    const asked = await Promise.all(answers);
    const others = this.#plugins.filter((plugin) => plugin.enabled && !plugins.includes(plugin));
    claimIds(asked, others);
  }

  async #discover(config: FleetConfig & Pick<HubConfig, "plugins">): Promise<readonly PluginConfig[]> {
    const { probe } = this.#unixJson;
    const { found, problems } = await findPlugins(config, { ...this.#options, probe, signal: this.#stopped.signal });
    this.#problems = problems;
    for (const problem of problems) this.#options.log.write("error", "hub", problem);
    return found;
  }

  #entry(config: PluginConfig): PluginEntry {
    const { restart, shutdownMs, termMs, isListening } = this.#options;
    const supervised: SupervisedPlugin = new SupervisedPlugin({
      id: config.id,
      launch: (signal) => this.#launcher.launch(entry, signal),
      attach: (process, signal) =>
        config.dialect === "unix-json"
          ? this.#unixJson.attach(entry, process, signal)
          : attachOrchestra(entry, process, signal, { ...this.#options, ...this.#options.dialect }),
      restart: { when: config.restart, maxCrashes: config.maxCrashes, windowMs: config.crashWindowMs, ...restart },
      restartInTurn: (start) => void this.#inTurn(config, start),
      startTimeoutMs: config.startTimeoutMs,
      drainMs: config.drainMs,
      health: config.health,
      rounds: this.#rounds,
      idleStopMs: config.idleStopMs,
      activity: () => ({
        isBusy: entry.inFlight.calls > 0 || isListening(entry),
        total: entry.inFlight.total,
      }),
      ...(shutdownMs === undefined ? {} : { shutdownMs }),
      ...(termMs === undefined ? {} : { termMs }),
      onEvent: (event) => this.#event(entry, event),
      onState: (state, previous) => {
        this.#reports.state(config.id, state);
        this.#options.onState(entry, state, previous);
        if (state.name === "ready") this.#served(entry);
      },
    });
    const entry = new PluginEntry(config, supervised);
    entry.enabled = this.#switches.isEnabled(config.id) ?? config.enabled;
    entry.waker = () => this.commands.waker(entry);
    entry.circuits.onEvent = (event) => this.#event(entry, { plugin: config.id, ...event });
    return entry;
  }

  #event(plugin: PluginEntry, event: PluginEvent): void {
    if (event.type === "crashed") this.commands.left(plugin);
    if (event.type === "failed") this.#notifier.notify(event, Date.now());
    this.#reports.event(plugin.id, event);
    this.#options.onEvent(event);
  }

  #served(plugin: PluginEntry): void {
    this.commands.served(plugin);
    if (!plugin.isLazy || plugin.offer === undefined || plugin.program === "") return;
    try {
      this.#offers.write(plugin.config, plugin.program, plugin.offer);
    } catch (error) {
      const what = `What it offers cannot be kept, so it will be started with the hub: ${(error as Error).message}`;
      this.#options.log.write("warn", plugin.id, what);
    }
  }
}

/** The line of the entry in the file says nothing about the plugin. */
function sameConfig(a: PluginConfig, b: PluginConfig): boolean {
  return JSON.stringify({ ...a, line: 0 }) === JSON.stringify({ ...b, line: 0 });
}
