import { describeState, type PluginEvent, type PluginState } from "@orchestrator/supervisor";
import type { EventBus } from "./event-bus.ts";
import type { HubLog } from "./hub-log.ts";
import type { Listing } from "./listing.ts";
import { HUB_TOPICS } from "./local-answers.ts";
import type { PeerRegistry } from "./peer-registry.ts";
import type { Offer, PluginEntry } from "./plugin-entry.ts";
import type { Port } from "./port.ts";
import { collisionLines } from "./problems.ts";
import type { Routes } from "./routes.ts";

/** Published whenever tools or prompts come or go. */
export const CAPABILITIES_TOPIC = `${HUB_TOPICS}capabilities`;
/** Published at every change of a plugin's state. */
export const PLUGINS_TOPIC = `${HUB_TOPICS}plugins`;

/** Events of plugins that their states tell of already. */
const STATES: ReadonlySet<string> = new Set(["started", "ready", "backoff", "failed", "stopped"]);

export interface PluginPresenceOptions {
  readonly log: HubLog;
  readonly routes: Routes;
  readonly listing: Listing;
  readonly events: EventBus;
  readonly peers: PeerRegistry;
  readonly plugins: () => readonly PluginEntry[];
}

/** What the rest of the hub learns when plugins come, change places and go. */
export class PluginPresence {
  readonly #options: PluginPresenceOptions;

  constructor(options: PluginPresenceOptions) {
    this.#options = options;
  }

  /** Its instance serves. All of it happens at one moment, so that no call finds neither it nor the one before. */
  ready(plugin: PluginEntry, port: Port, offer: Offer): void {
    if (plugin.handover.isComing(port)) this.#options.peers.pluginReplaced(plugin);
    if (plugin.link !== undefined && plugin.link !== port) plugin.handover.leave(plugin.link);
    const isNew = !plugin.wasOffered || JSON.stringify(plugin.offer) !== JSON.stringify(offer);
    plugin.takeOver(port, offer);
    if (!isNew) return;
    plugin.wasOffered = true;
    this.changed();
    const mine = this.#options.routes.collisions.filter(
      ({ loser, winner }) => loser === plugin.id || winner === plugin.id,
    );
    for (const line of collisionLines(mine)) this.#options.log.writeAbout(plugin.id, "error", "hub", line);
  }

  /**
   * It serves no longer.
   * @param port the connection that is lost, if it is a certain one: another instance may have taken over meanwhile
   */
  gone(plugin: PluginEntry, port = plugin.link): void {
    if (plugin.link !== undefined && plugin.link !== port) return;
    this.#options.peers.pluginGone(plugin);
    if (plugin.link === undefined) return;
    plugin.link = undefined;
    plugin.circuits.close("it serves no longer");
    this.#refresh(plugin);
  }

  /** What a plugin offers comes and goes with it, but for one that a call starts. */
  #refresh(plugin: PluginEntry): void {
    if (plugin.isOffered === plugin.wasOffered) return;
    plugin.wasOffered = plugin.isOffered;
    this.changed();
  }

  state(plugin: PluginEntry, state: PluginState, previous: PluginState): void {
    if (state.name === "draining") this.gone(plugin);
    if (state.name === "stopped" && !plugin.enabled) this.#options.peers.dropLinks(plugin);
    this.#refresh(plugin);
    if (!this.#options.events.hasSubscribers(PLUGINS_TOPIC)) return;
    const [reason = ""] = describeState(state).split("\n");
    const change = { plugin: plugin.id, state: state.name, previous: previous.name, reason };
    this.#publish(PLUGINS_TOPIC, state.name, change);
  }

  /** States are told by themselves. */
  event(event: PluginEvent): void {
    if (!this.#options.events.hasSubscribers(PLUGINS_TOPIC) || STATES.has(event.type)) return;
    this.#publish(PLUGINS_TOPIC, event.type, { plugin: event.plugin, ...event.details });
  }

  /** Plugins came or went, or offer something else. */
  changed(): void {
    this.#options.routes.rebuild(this.#options.plugins().filter((plugin) => plugin.enabled));
    this.#options.listing.invalidate();
    this.#publish(CAPABILITIES_TOPIC, "changed", {});
  }

  #publish(topic: string, eventType: string, payload: Record<string, unknown>): void {
    const nowMs = Date.now();
    const timestamp = { seconds: Math.floor(nowMs / 1000), nanos: (nowMs % 1000) * 1_000_000 };
    this.#options.events.publish({
      topic,
      eventType,
      payload,
      sourcePlugin: "orchestrator",
      subscriptionId: "",
      timestamp,
    });
  }
}
