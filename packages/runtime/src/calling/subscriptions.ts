import { HubError, type PluginRequest, type Publish } from "@orchestrator/protocol";
import type { PluginEvent } from "../definition.ts";
import type { Log } from "../log.ts";
import { type Limits, limitsOf, ROOT_SCOPE } from "./call-scope.ts";
import { exchange, type HubChannel } from "./exchange.ts";

/** What a plugin wants to hear. */
export interface Subscription {
  readonly topic: string;
  /** Each key must be a field of the payload that holds exactly this text. */
  readonly filters: Readonly<Record<string, string>>;
  readonly listener: (event: PluginEvent) => unknown;
}

interface Entry extends Subscription {
  readonly id: string;
  /** The link on which the hub was told, and the hub's word on it. */
  told: { readonly link: unknown; readonly done: Promise<void> } | undefined;
}

/** The subscriptions that a plugin made while running. They outlive links: `renew` tells the next hub of them. */
export class Subscriptions {
  readonly #channel: HubChannel;
  readonly #log: Log;
  readonly #entries = new Map<string, Entry>();

  constructor(channel: HubChannel, log: Log) {
    this.#channel = channel;
    this.#log = log;
  }

  /** @returns what ends the subscription @throws {HubError} where the hub cannot be told within the limits, or refuses */
  async add(subscription: Subscription, limits: Limits): Promise<() => Promise<void>> {
    const entry: Entry = { ...subscription, id: this.#channel.ids.uuid(), told: undefined };
    this.#entries.set(entry.id, entry);
    try {
      await this.#tell(entry, limits);
    } catch (error) {
      this.#entries.delete(entry.id);
      throw error;
    }
    return () => this.#remove(entry.id);
  }

  /** Tells a hub that was just connected of everything that it cannot know. */
  async renew(): Promise<void> {
    const told = [...this.#entries.values()].map(async (entry) => {
      try {
        await this.#tell(entry, limitsOf(ROOT_SCOPE));
      } catch (error) {
        this.#log.warn(`The subscription to "${entry.topic}" was not renewed: ${HubError.from(error).message}`);
      }
    });
    await Promise.all(told);
  }

  /**
   * Hands an event to those who asked for it. A hub that names the subscription means that one alone; for others it goes to
   * everybody whose topic and filters match.
   * @returns false where nobody here did: the event was meant for the plugin as a whole
   */
  deliver(wire: Publish, event: PluginEvent): boolean {
    const named = this.#entries.get(wire.subscriptionId);
    const matching = named ? [named] : wire.subscriptionId === "" ? this.#matching(event) : [];
    for (const entry of matching) void this.#notify(entry, event);
    return matching.length > 0;
  }

  /** A listener may be an async function: what it rejects with ends in the log as well. */
  async #notify({ listener, topic }: Entry, event: PluginEvent): Promise<void> {
    try {
      await listener(event);
    } catch (error) {
      this.#log.error(`A listener of "${topic}" failed: ${HubError.from(error).message}`, { error });
    }
  }

  /** Whether anybody here listens to a topic. */
  wants(topic: string): boolean {
    return [...this.#entries.values()].some((entry) => entry.topic === topic);
  }

  #matching({ topic, payload }: PluginEvent): Entry[] {
    return [...this.#entries.values()].filter(
      (entry) => entry.topic === topic && Object.entries(entry.filters).every(([key, text]) => payload?.[key] === text),
    );
  }

  async #tell(entry: Entry, limits: Limits): Promise<void> {
    const calls = this.#channel.current ?? (await this.#channel.ready(limits));
    // Whoever comes first tells; the other waits for the same word. It may not ask twice: a hub could deliver twice.
    if (entry.told?.link !== calls.link) {
      const { id: subscriptionId, topic, filters } = entry;
      const request = { $case: "subscribe", value: { subscriptionId, topic, filters: { ...filters } } } as const;
      entry.told = { link: calls.link, done: this.#send(request, limits) };
    }
    await entry.told.done;
  }

  async #send(request: PluginRequest["request"], limits: Limits): Promise<void> {
    await exchange(this.#channel, { request, scope: ROOT_SCOPE, limits, acceptsCalls: true });
  }

  async #remove(subscriptionId: string): Promise<void> {
    if (!this.#entries.delete(subscriptionId)) return;
    // A hub that is not there has nothing to forget: it learns of subscriptions anew.
    if (this.#channel.current === undefined) return;
    await this.#send({ $case: "unsubscribe", value: { subscriptionId } }, limitsOf(ROOT_SCOPE));
  }
}
