import type { HubConfig, PolicyRule } from "@orchestrator/config";
import type { Authority } from "@orchestrator/identity";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Store } from "@orchestrator/store";
import type { RestartPolicy } from "@orchestrator/supervisor";
import { CallLog } from "./call-log.ts";
import { Control } from "./control.ts";
import { DeadlineWheel } from "./deadline-wheel.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Doors } from "./doors.ts";
import { EventBus } from "./event-bus.ts";
import { HubLog } from "./hub-log.ts";
import { KvService } from "./kv-service.ts";
import { cleanUpLeftovers } from "./leftovers.ts";
import { Listing } from "./listing.ts";
import { LocalAnswers } from "./local-answers.ts";
import { PeerRegistry } from "./peer-registry.ts";
import type { PluginEntry } from "./plugin-entry.ts";
import { type EventToKeep, keepEvent } from "./plugin-events.ts";
import { PluginFleet } from "./plugin-fleet.ts";
import type { LogPage, LogQuery } from "./plugin-logs/read-log.ts";
import { PluginPresence } from "./plugin-presence.ts";
import { Problems } from "./problems.ts";
import { Routes } from "./routes.ts";

export interface HubOptions {
  readonly config: HubConfig;
  readonly authority: Authority;
  readonly log?: HubLog;
  /** The environment that plugins get a part of. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly version?: string;
  /** A Unix socket or named pipe for gateways and operators on this machine; with it the hub also runs where there is no QUIC. */
  readonly socketPath?: string;
  /** Where entries and events are kept. Whoever opened it closes it, after the hub has stopped. Without it nothing is kept. */
  readonly store?: Store;
  /** Reads the config again when an operator asks for it. @throws {HubError} what is wrong with it */
  readonly readConfig?: () => Promise<HubConfig>;
  /** Called when an operator asks the hub to stop. */
  readonly onStopRequest?: () => void;
  /** For tests: other delays. */
  readonly restart?: Partial<RestartPolicy>;
  readonly shutdownMs?: number;
  readonly termMs?: number;
  /** How long a program of a plugin directory may take to say what it is. */
  readonly metadataMs?: number;
  /** How long the plugins wait for a program that does not say who it is. */
  readonly identifyMs?: number;
  /** How long the start of one plugin may keep others waiting for their turn. */
  readonly slotMs?: number;
  /** How long a subscriber may take to acknowledge an event. */
  readonly deliveryMs?: number;
}

/** The process that owns routes, supervises plugins and enforces policy. Two hubs can live in one process. */
export class Hub {
  readonly log: HubLog;
  readonly calls = new CallLog();
  readonly #options: HubOptions;
  readonly #wheel: DeadlineWheel;
  readonly #routes = new Routes();
  readonly #listing = new Listing(this.#routes);
  readonly #problems = new Problems();
  readonly #events: EventBus;
  readonly #dispatcher: Dispatcher;
  readonly #local: LocalAnswers;
  readonly #fleet: PluginFleet;
  readonly #peers: PeerRegistry;
  readonly #presence: PluginPresence;
  readonly #startedAtMs = Date.now();
  readonly #doors: Doors;
  /** The policy; a reload changes what is in it. */
  readonly #rules: PolicyRule[];
  #stopping: Promise<void> | undefined;

  constructor(options: HubOptions) {
    this.#options = options;
    const { config } = options;
    const log = options.log ?? new HubLog();
    this.log = log;
    this.#rules = [...config.policy];
    this.#wheel = new DeadlineWheel((reason) => {
      log.write("error", "hub", `A deadline could not be kept: ${HubError.from(reason).message}`);
    });
    const lost = (subscriber: string, topic: string, why: string) =>
      log.writeAbout(subscriber, "warn", "hub", `An event on "${topic}" was lost for "${subscriber}": ${why}`);
    this.#events = new EventBus(this.#wheel, lost, options.deliveryMs);
    const control = new Control({
      log,
      calls: this.calls,
      plugins: () => this.plugins,
      status: () => this.status(),
      use: (plugin) => this.#fleet.guard.usage(plugin.id),
      stop: () => options.onStopRequest?.(),
      commands: () => this.#fleet.commands,
      reload: () => this.reload(),
      store: options.store,
    });
    this.#peers = new PeerRegistry({
      events: this.#events,
      log,
      rules: this.#rules,
      findPlugin: (manifestId) => this.#fleet.find(manifestId),
      onRequest: (port, call, payload, last) => this.#dispatcher.request(port, call, payload, last),
    });
    const kv = new KvService(options.store?.kv);
    this.#local = new LocalAnswers({
      listing: this.#listing,
      events: this.#events,
      log,
      dispatcher: () => this.#dispatcher,
      register: (port, manifest) => this.#peers.register(port, manifest),
      control: (port, call, request) => control.answer(port, call, request),
      kv: (port, call, requestId, request) => kv.answer(port, call, requestId, request),
      eventRoute: (port) => this.#peers.eventRoute(port),
    });
    this.#dispatcher = new Dispatcher({
      routes: this.#routes,
      wheel: this.#wheel,
      calls: this.calls,
      log,
      rules: this.#rules,
      local: (port, call, payload, peek) => this.#local.answer(port, call, payload, peek),
    });
    this.#presence = new PluginPresence({
      log,
      routes: this.#routes,
      listing: this.#listing,
      events: this.#events,
      peers: this.#peers,
      plugins: () => this.plugins,
    });
    this.#doors = new Doors({ ...options, socketPath: options.socketPath, peers: this.#peers, log });
    this.#fleet = new PluginFleet({
      ...options,
      plugins: config.plugins,
      workspace: config.workspace,
      stateDir: config.stateDir,
      maxStartsAtOnce: config.maxStartsAtOnce,
      env: options.env ?? process.env,
      wheel: this.#wheel,
      log,
      hubAddress: () => this.address,
      dialect: {
        accept: (link, plugin) => {
          const port = this.#peers.accept(link, plugin.caller, plugin);
          if (plugin.isAnnounced) plugin.handover.begin(port);
          return port;
        },
        onReady: (plugin, port, offer) => this.#presence.ready(plugin, port, offer),
        onGone: (plugin, port) => this.#presence.gone(plugin, port),
      },
      onState: (plugin, state, previous) => this.#presence.state(plugin, state, previous),
      onChange: () => this.#presence.changed(),
      isListening: (plugin) => this.#events.isListening(plugin),
      onEvent: (event) => {
        this.keepEvent(event);
        this.#presence.event(event);
      },
    });
  }

  /** In config order. */
  get plugins(): readonly PluginEntry[] {
    return this.#fleet.plugins;
  }

  /** Where QUIC peers connect. */
  get address(): string {
    return this.#doors.quicAddress;
  }

  /** Where peers on this machine connect: `unix:/path`, or "". */
  get socketAddress(): string {
    return this.#doors.socketAddress;
  }

  get tcpAddress(): string {
    return this.#doors.tcpAddress;
  }

  /**
   * Listens, then starts the plugins; resolves when each of them is ready, backing off or failed.
   * @throws {HubError} when an address cannot be bound; then no plugin was started
   */
  async start(): Promise<void> {
    await this.listen();
    await this.#fleet.start();
  }

  /** The first half of `start`: after it peers can connect, and `startPlugins` is due. */
  async listen(): Promise<void> {
    await cleanUpLeftovers(this.#options.config.stateDir, this.log);
    await this.#doors.open();
    const { socketPath } = this.#options;
    if (socketPath !== undefined) this.removeAtDeath(socketPath);
  }

  /** A file that must not stay behind when the hub is killed; it exists by now. */
  removeAtDeath(path: string): void {
    this.#fleet.guard.file(path);
  }

  /** The second half of `start`. */
  async startPlugins(): Promise<void> {
    await this.#fleet.start();
  }

  /**
   * Reads the config again and applies what it says of plugins and of who may use what; the rest needs a new hub.
   * @throws {HubError} what is wrong with the config, and then nothing has changed
   */
  async reload(): Promise<void> {
    const { readConfig } = this.#options;
    if (readConfig === undefined) throw new HubError(ErrorCode.Unimplemented, "This hub has no config to read again");
    const config = await readConfig();
    this.#rules.splice(0, this.#rules.length, ...config.policy);
    // Rights that were looked up before are forgotten with the routes.
    this.#presence.changed();
    await this.#fleet.reload(config);
    this.log.write("info", "hub", `read the config again: ${this.plugins.length} plugins`);
  }

  /** Stops plugins and listeners; resolves when every process is gone. Repeatable. */
  async stop(reason = "the hub stops"): Promise<void> {
    this.#stopping ??= this.#stop(reason);
    await this.#stopping;
  }

  async #stop(reason: string): Promise<void> {
    this.log.write("info", "hub", `stopping: ${reason}`);
    await this.#fleet.stop(reason);
    await this.#doors.close();
    this.#peers.abortAll(new HubError(ErrorCode.Unavailable, "The hub has stopped"));
    this.#wheel.close();
    await this.#fleet.guard.close();
  }

  status() {
    const { counts } = this.#dispatcher;
    return {
      version: this.#options.version ?? "",
      pid: process.pid,
      startedAtMs: this.#startedAtMs,
      address: this.address,
      tcpAddress: this.tcpAddress,
      workspace: this.#options.config.workspace,
      // One that sleeps serves whoever calls it.
      pluginsReady: this.plugins.filter((plugin) => plugin.enabled && plugin.isOffered).length,
      pluginsTotal: this.plugins.filter((plugin) => plugin.enabled).length,
      callsInFlight: counts.inFlight,
      callsTotal: counts.total,
      callsFailed: Object.fromEntries(counts.failed),
      eventsDelivered: this.#events.counts.delivered,
      eventsDropped: this.#events.counts.dropped,
      rssBytes: process.memoryUsage.rss(),
      problems: this.#problems.list(this.plugins, this.#routes.collisions, [
        ...this.#options.authority.warnings,
        ...this.#fleet.problems,
        ...this.#fleet.guard.warnings,
      ]),
    };
  }

  /**
   * A page of what a plugin wrote and what became of it, newest first.
   * @throws {HubError} `NOT_FOUND` for a plugin that there is not
   */
  async readPluginLog(id: string, query: LogQuery = {}): Promise<LogPage> {
    if (this.plugins.some((plugin) => plugin.id === id)) return await this.#fleet.logs.read(id, query);
    throw new HubError(ErrorCode.NotFound, `There is no plugin "${id}"`);
  }

  /** Keeps for the operator what happened to a plugin, or to the hub itself. */
  keepEvent(event: EventToKeep): void {
    keepEvent(this.#options.store, this.log, event);
  }

  /** Links of peers that are no configured plugins: gateways, operators. */
  get clientLinks(): number {
    return this.#peers.clientLinks;
  }
}
