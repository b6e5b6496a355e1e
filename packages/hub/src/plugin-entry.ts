import { type CapabilityKind, matchesCapability, type PluginConfig } from "@orchestrator/config";
import type { PluginManifest, PromptDefinition, ToolDefinition } from "@orchestrator/protocol";
import type { PluginState, SupervisedPlugin } from "@orchestrator/supervisor";
import { Circuits } from "./circuits.ts";
import { InFlight } from "./in-flight.ts";
import type { Probed } from "./manifest-probe.ts";
import { limitNeeds, needsOf, unitedNeeds } from "./plugin-needs.ts";
import { type Caller, type Needs, NO_NEEDS } from "./policy.ts";
import type { Port } from "./port.ts";
import type { RouteTable } from "./routes.ts";
import { Handover } from "./supervision/handover.ts";

/** What a plugin offers, as it said when it started. */
export interface Offer {
  readonly tools: readonly ToolDefinition[];
  readonly prompts: readonly PromptDefinition[];
  readonly storage: readonly string[];
  readonly ai: readonly string[];
  /** HTTP routes: "/" and one or more segments. */
  readonly http: readonly string[];
}

/** Everything that the hub knows of one configured plugin. */
export class PluginEntry {
  readonly config: PluginConfig;
  readonly supervised: SupervisedPlugin;
  /** The id in its own manifest, which its certificates carry; the config's id until it is known. */
  manifestId: string;
  /** Kept while the plugin is away, so that a call in between is told "unavailable" and not "no such tool". */
  offer: Offer | undefined;
  /** The connection that the hub calls it on, while it is ready. */
  link: Port | undefined;
  readonly inFlight: InFlight;
  readonly circuits: Circuits;
  /** The change from one instance to another. */
  readonly handover = new Handover();
  /** Whether it is to run at all: the operator's switch, or else the config's word. */
  enabled: boolean;
  /** The config that is in force has another entry in its place, or none. */
  isRemoved = false;
  /** Starts it for a call that needs it; gives undefined where a call is not to wait for it. */
  waker: (() => Promise<PluginState> | undefined) | undefined;
  /** Grows when it may do less than before. */
  rightsVersion = 0;
  /** It was listed when the lists were last made. */
  wasOffered = false;
  readonly #aliases: ReadonlyMap<string, string>;
  #manifest: PluginManifest | undefined;
  /** What the running program printed of its needs. */
  #printed: Partial<Needs> = {};
  /** With what it did not print, but said when it registered first. */
  #ceiling: Needs | undefined;
  #granted: Needs = NO_NEEDS;
  #refusedNeeds: readonly string[] = [];
  /** Which program said so. */
  #program = "";
  /** What the program of a new instance printed that starts beside the one that serves. */
  #announced: Probed | undefined;

  constructor(config: PluginConfig, supervised: SupervisedPlugin) {
    this.config = config;
    this.enabled = config.enabled;
    this.supervised = supervised;
    this.inFlight = new InFlight(config.id, config.maxCallsInFlight);
    this.circuits = new Circuits(config);
    this.manifestId = config.id;
    this.#aliases = new Map(config.aliases.map(({ kind, name, as }) => [`${kind}:${name}`, as]));
  }

  get id(): string {
    return this.config.id;
  }

  get isReady(): boolean {
    return this.link !== undefined;
  }

  get isLazy(): boolean {
    return this.config.activation === "lazy";
  }

  /** Whether what it offers is listed: also while a lazy one sleeps, since a call starts it. */
  get isOffered(): boolean {
    if (this.isReady) return true;
    const { name } = this.supervised.state;
    return this.isLazy && this.enabled && name !== "failed" && name !== "backoff";
  }

  get caller(): Caller {
    return { id: this.manifestId, kind: "plugin", configId: this.config.id };
  }

  /** What it sent when it registered on its own connection, or what its program printed. */
  get manifest(): PluginManifest | undefined {
    return this.#manifest;
  }

  /** The config's word, else the manifest's. */
  get needs(): Needs {
    const coming = this.#announced?.manifest;
    if (coming === undefined) return this.#withConfig(this.#granted);
    // Two instances with one name, and maybe two programs: for as long as both run, both may do what either needs.
    return this.#withConfig(unitedNeeds(this.#granted, needsOf(coming)));
  }

  /** As `manifest`, but of the instance that starts, if one does. */
  get newestManifest(): PluginManifest | undefined {
    return this.#announced?.manifest ?? this.#manifest;
  }

  /** What it asked for when it registered, beyond what it had said before; it was not given. "needs_tools delete_*" … */
  get refusedNeeds(): readonly string[] {
    return this.#refusedNeeds;
  }

  /** Which program it is; changes whenever the program does. */
  get program(): string {
    return this.#program;
  }

  /** The program is about to run, and this is what it printed when it was asked for its manifest. */
  declare({ manifest, ceiling, program }: Probed): void {
    if (program !== this.#program) {
      this.#program = program;
      this.#manifest = undefined;
      this.#ceiling = undefined;
      this.#granted = NO_NEEDS;
    }
    this.#refusedNeeds = [];
    this.#printed = ceiling;
    if (manifest === undefined) return;
    this.#manifest = manifest;
    this.#granted = needsOf(manifest);
  }

  /** As `declare`, for an instance that starts beside the one that serves: it counts when that one takes over. */
  announce(probed: Probed): void {
    this.#announced = probed;
  }

  /** An instance starts beside the one that serves, or that served until just now. */
  get isAnnounced(): boolean {
    return this.#announced !== undefined;
  }

  /** The announced instance is gone; where it took over before, that changes nothing. */
  withdraw(probed: Probed): void {
    if (this.#announced !== probed) return;
    this.#announced = undefined;
    // What was found allowed for either of them may not be for the one that stays, on whichever connection it asks.
    this.rightsVersion += 1;
  }

  /** An instance serves from now on. Where it was announced, what its program said counts. */
  takeOver(link: Port, offer: Offer): void {
    this.link = link;
    this.offer = offer;
    const announced = this.#announced;
    this.#announced = undefined;
    if (announced !== undefined) this.declare(announced);
    this.circuits.close("a new instance serves");
    this.handover.serve(link);
  }

  /**
   * It told its manifest on its own connection. What its program did not print, the first registration limits from then on.
   * @returns what it asked for and was not given
   */
  register(manifest: PluginManifest): readonly string[] {
    this.#ceiling ??= needsOf(manifest);
    // Where the config has the word, there is nothing to refuse.
    const ceiling = this.#withConfig({ ...this.#ceiling, ...this.#printed });
    const { needs, refused } = limitNeeds(this.#withConfig(needsOf(manifest)), ceiling);
    this.#manifest = manifest;
    this.#granted = needs;
    this.#refusedNeeds = refused;
    return refused;
  }

  /** The name under which the hub offers it. */
  outsideName(table: RouteTable, name: string): string {
    return this.#aliases.get(`${table}:${name}`) ?? name;
  }

  /** The operator said that this plugin wins a collision over this name. */
  isPreferred(kind: CapabilityKind, name: string): boolean {
    return this.config.prefer.some((pattern) => matchesCapability(pattern, kind, name));
  }

  #withConfig(needs: Needs): Needs {
    const { needsStorage, needsTools, needsAi, needsEvents, needsHttp } = this.config;
    return {
      storage: needsStorage ?? needs.storage,
      tools: needsTools ?? needs.tools,
      ai: needsAi ?? needs.ai,
      events: needsEvents ?? needs.events,
      http: needsHttp ?? needs.http,
    };
  }
}
