import { ErrorCode, HubError, type Publish } from "@orchestrator/protocol";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import { callPeer } from "./local-call.ts";
import type { Port } from "./port.ts";

/** Events that wait for one subscriber. A slow one loses the newest beyond this, and the loss is counted. */
const QUEUE_EVENTS = 1_024;
/** A subscriber that does not acknowledge an event within this time has lost it. */
const DELIVERY_TIMEOUT_MS = 5_000;
const MAX_SUBSCRIPTIONS_PER_PEER = 1_024;

interface Subscription {
  readonly id: string;
  readonly topic: string;
  readonly filters: ReadonlyMap<string, string>;
  readonly owner: Subscriber;
}

/** Everything that one peer listens to. Its events are delivered one after another, in the order in which they were published. */
interface Subscriber {
  readonly key: string;
  readonly subscriptions: Map<string, Subscription>;
  readonly queue: Publish[];
  /** Where to deliver now; undefined while the peer is away. */
  route: () => Port | undefined;
  busy: boolean;
}

export interface EventCounts {
  delivered: number;
  dropped: number;
}

/** Topics, subscribers and their queues. A subscriber that is slow, dead or lying harms nobody but itself. */
export class EventBus {
  readonly counts: EventCounts = { delivered: 0, dropped: 0 };
  readonly #wheel: DeadlineWheel;
  readonly #onDrop: (subscriber: string, topic: string, why: string) => void;
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #topics = new Map<string, Set<Subscription>>();

  constructor(wheel: DeadlineWheel, onDrop: (subscriber: string, topic: string, why: string) => void) {
    this.#wheel = wheel;
    this.#onDrop = onDrop;
  }

  /**
   * Adds a subscription, or replaces the one of the same id.
   * @param key who subscribes: its verified identity, plus the link for a peer that may connect more than once
   * @param route where deliveries go at that moment
   * @throws {HubError} `INVALID_ARGUMENT` without a topic or an id, `RESOURCE_EXHAUSTED` beyond 1 024 subscriptions
   */
  subscribe(
    key: string,
    route: () => Port | undefined,
    id: string,
    topic: string,
    filters: Readonly<Record<string, string>>,
  ): void {
    if (topic === "" || id === "") {
      throw new HubError(ErrorCode.InvalidArgument, "Cannot subscribe: topic and subscription_id must not be empty");
    }
    const owner = this.#subscribers.get(key) ?? { key, subscriptions: new Map(), queue: [], route, busy: false };
    if (owner.subscriptions.size >= MAX_SUBSCRIPTIONS_PER_PEER && !owner.subscriptions.has(id)) {
      throw new HubError(
        ErrorCode.ResourceExhausted,
        `"${key}" has ${MAX_SUBSCRIPTIONS_PER_PEER} subscriptions already`,
      );
    }
    this.#subscribers.set(key, owner);
    owner.route = route;
    this.#drop(owner.subscriptions.get(id));
    const subscription: Subscription = { id, topic, filters: new Map(Object.entries(filters)), owner };
    owner.subscriptions.set(id, subscription);
    const set = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, set.add(subscription));
  }

  /** An id that is not there is fine. */
  unsubscribe(key: string, id: string): void {
    const owner = this.#subscribers.get(key);
    this.#drop(owner?.subscriptions.get(id));
  }

  /** The peer is gone for good, and its subscriptions with it. */
  removeSubscriber(key: string): void {
    const owner = this.#subscribers.get(key);
    if (owner === undefined) return;
    for (const subscription of [...owner.subscriptions.values()]) this.#drop(subscription);
    this.counts.dropped += owner.queue.length;
    owner.queue.length = 0;
    this.#subscribers.delete(key);
  }

  hasSubscribers(topic: string): boolean {
    return (this.#topics.get(topic)?.size ?? 0) > 0;
  }

  /** Queues an event for everybody who listens. Returns at once. */
  publish(event: Publish): void {
    for (const subscription of this.#topics.get(event.topic) ?? []) {
      if (!matches(subscription.filters, event.payload)) continue;
      const { owner } = subscription;
      if (owner.queue.length >= QUEUE_EVENTS) {
        this.counts.dropped += 1;
        this.#onDrop(owner.key, event.topic, `its queue of ${QUEUE_EVENTS} events is full`);
        continue;
      }
      owner.queue.push({ ...event, subscriptionId: subscription.id });
      if (!owner.busy) void this.#deliver(owner);
    }
  }

  async #deliver(owner: Subscriber): Promise<void> {
    owner.busy = true;
    try {
      for (let event = owner.queue.shift(); event !== undefined; event = owner.queue.shift()) {
        const port = owner.route();
        try {
          if (port === undefined) throw new HubError(ErrorCode.Unavailable, "it is not connected");
          await callPeer(port, this.#wheel, { $case: "publish", value: event }, "acknowledgement", DELIVERY_TIMEOUT_MS);
          this.counts.delivered += 1;
        } catch (reason) {
          this.counts.dropped += 1;
          this.#onDrop(owner.key, event.topic, HubError.from(reason).message);
        }
      }
    } finally {
      owner.busy = false;
    }
  }

  #drop(subscription: Subscription | undefined): void {
    if (subscription === undefined) return;
    subscription.owner.subscriptions.delete(subscription.id);
    const set = this.#topics.get(subscription.topic);
    set?.delete(subscription);
    if (set?.size === 0) this.#topics.delete(subscription.topic);
  }
}

/** Every filter must be a payload field that holds exactly that text; no payload fits no filter. */
function matches(filters: ReadonlyMap<string, string>, payload: { [key: string]: unknown } | undefined): boolean {
  for (const [key, value] of filters) {
    if (payload === undefined || !Object.hasOwn(payload, key) || payload[key] !== value) return false;
  }
  return true;
}
