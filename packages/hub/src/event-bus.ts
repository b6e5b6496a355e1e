import { matchesName } from "@orchestrator/config";
import { ErrorCode, HubError, type Publish } from "@orchestrator/protocol";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import { EventParcel } from "./event-parcel.ts";
import { sendToPeer } from "./local-call.ts";
import type { Port } from "./port.ts";

/** Events that wait for one subscriber. A slow one loses the newest beyond this, and the loss is counted. */
const QUEUE_EVENTS = 1_024;
/** The same for their sizes together: four of the largest. */
const QUEUE_BYTES = 4 * 1024 * 1024;
/** A subscriber that does not acknowledge an event within this time has lost it. */
const DELIVERY_TIMEOUT_MS = 5_000;
/** An acknowledgement is empty, or an error. */
const MAX_ACKNOWLEDGEMENT_BYTES = 64 * 1024;
const MAX_SUBSCRIPTIONS_PER_PEER = 1_024;
const MAX_FILTERS = 32;
const MAX_FILTERS_LENGTH = 4_096;

export interface SubscribeOptions {
  /** Of the subscriber, for people. */
  readonly name: string;
  /** Where deliveries go, at that moment; undefined while the peer is away. */
  readonly route: () => Port | undefined;
  /** Chosen by the subscriber. */
  readonly id: string;
  readonly topic: string;
  /** Fields of the payload, and the text that each must hold. */
  readonly filters?: Readonly<Record<string, string>>;
  /** `*` in the topic stands for any characters. */
  readonly isPattern?: boolean;
  /** Asked for every event: whether the subscriber may hear of the topic. Default: it may. */
  readonly allows?: (topic: string) => boolean;
}

interface Subscription {
  readonly id: string;
  readonly topic: string;
  readonly isPattern: boolean;
  readonly filters: ReadonlyMap<string, string>;
  readonly allows: ((topic: string) => boolean) | undefined;
  readonly owner: Subscriber;
}

/** Everything that one peer listens to. Its events are delivered one after another, in the order in which they were published. */
interface Subscriber {
  name: string;
  readonly subscriptions: Map<string, Subscription>;
  readonly queue: { readonly parcel: EventParcel; readonly subscriptionId: string }[];
  queuedBytes: number;
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
  readonly #delivery: typeof DELIVERY & { readonly timeoutMs: number };
  readonly #onDrop: (subscriber: string, topic: string, why: string) => void;
  readonly #subscribers = new Map<object, Subscriber>();
  readonly #topics = new Map<string, Set<Subscription>>();
  readonly #patterns = new Set<Subscription>();

  /** @param deliveryMs how long a subscriber may take to acknowledge an event */
  constructor(
    wheel: DeadlineWheel,
    onDrop: (subscriber: string, topic: string, why: string) => void,
    deliveryMs = DELIVERY_TIMEOUT_MS,
  ) {
    this.#wheel = wheel;
    this.#delivery = { ...DELIVERY, timeoutMs: deliveryMs };
    this.#onDrop = onDrop;
  }

  /**
   * Adds a subscription, or replaces the one of the same id.
   * @param key who subscribes: a configured plugin, however often it connects, or the link of another peer
   * @throws {HubError} `INVALID_ARGUMENT` without a topic or an id and for filters that are too long, `RESOURCE_EXHAUSTED`
   * beyond 1 024 subscriptions
   */
  subscribe(key: object, options: SubscribeOptions): void {
    const { name, route, id, topic, isPattern = false, allows } = options;
    if (topic === "" || id === "") {
      throw new HubError(ErrorCode.InvalidArgument, "Cannot subscribe: topic and subscription_id must not be empty");
    }
    const filters = new Map(Object.entries(options.filters ?? {}));
    let length = 0;
    for (const [field, text] of filters) length += field.length + text.length;
    if (filters.size > MAX_FILTERS || length > MAX_FILTERS_LENGTH) {
      const what = `${filters.size} filters of ${length} characters; ${MAX_FILTERS} and ${MAX_FILTERS_LENGTH} are the limit`;
      throw new HubError(ErrorCode.InvalidArgument, `Cannot subscribe: ${what}`);
    }
    const known = this.#subscribers.get(key);
    const owner: Subscriber = known ?? {
      name,
      subscriptions: new Map(),
      queue: [],
      queuedBytes: 0,
      route,
      busy: false,
    };
    if (owner.subscriptions.size >= MAX_SUBSCRIPTIONS_PER_PEER && !owner.subscriptions.has(id)) {
      const what = `"${name}" has ${MAX_SUBSCRIPTIONS_PER_PEER} subscriptions already`;
      throw new HubError(ErrorCode.ResourceExhausted, what);
    }
    this.#subscribers.set(key, owner);
    owner.name = name;
    owner.route = route;
    this.#drop(owner.subscriptions.get(id));
    const subscription: Subscription = { id, topic, isPattern, filters, allows, owner };
    owner.subscriptions.set(id, subscription);
    if (isPattern) {
      this.#patterns.add(subscription);
      return;
    }
    const set = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, set.add(subscription));
  }

  /** An id that is not there is fine. */
  unsubscribe(key: object, id: string): void {
    this.#drop(this.#subscribers.get(key)?.subscriptions.get(id));
  }

  /** Ends those subscriptions of a peer whose ids are meant. */
  removeSubscriptions(key: object, isMeant: (id: string) => boolean): void {
    const owner = this.#subscribers.get(key);
    if (owner === undefined) return;
    for (const subscription of [...owner.subscriptions.values()]) {
      if (isMeant(subscription.id)) this.#drop(subscription);
    }
  }

  /** The peer is gone for good, and its subscriptions and what waited for it with it. */
  removeSubscriber(key: object): void {
    const owner = this.#subscribers.get(key);
    if (owner === undefined) return;
    this.removeSubscriptions(key, () => true);
    this.#subscribers.delete(key);
    const lost = owner.queue.length;
    if (lost === 0) return;
    this.counts.dropped += lost;
    this.#onDrop(owner.name, owner.queue[0]!.parcel.topic, `it is gone, and ${lost} events waited for it`);
    owner.queue.length = 0;
    owner.queuedBytes = 0;
  }

  /** Whether a peer has asked for any events. */
  isListening(key: object): boolean {
    return (this.#subscribers.get(key)?.subscriptions.size ?? 0) > 0;
  }

  hasSubscribers(topic: string): boolean {
    if (this.#topics.has(topic)) return true;
    for (const { topic: pattern } of this.#patterns) if (matchesName(pattern, topic)) return true;
    return false;
  }

  /**
   * Queues an event for everybody who listens. Returns at once.
   * @throws {HubError} `INVALID_ARGUMENT` for one of more than 1 MiB that somebody listens to
   */
  publish(event: Publish): void {
    let parcel: EventParcel | undefined;
    for (const subscription of this.#listeners(event.topic)) {
      if (!matches(subscription.filters, event.payload)) continue;
      if (subscription.allows?.(event.topic) === false) continue;
      parcel ??= new EventParcel(event);
      this.#queue(subscription, parcel);
    }
  }

  *#listeners(topic: string): Iterable<Subscription> {
    yield* this.#topics.get(topic) ?? [];
    for (const subscription of this.#patterns) if (matchesName(subscription.topic, topic)) yield subscription;
  }

  #queue({ owner, id }: Subscription, parcel: EventParcel): void {
    const isLong = owner.queue.length >= QUEUE_EVENTS;
    if (isLong || owner.queuedBytes + parcel.bytes > QUEUE_BYTES) {
      this.counts.dropped += 1;
      const limit = isLong ? `${QUEUE_EVENTS} events` : `${QUEUE_BYTES} bytes`;
      this.#onDrop(owner.name, parcel.topic, `its queue of ${limit} is full`);
      return;
    }
    owner.queue.push({ parcel, subscriptionId: id });
    owner.queuedBytes += parcel.bytes;
    if (!owner.busy) void this.#deliver(owner);
  }

  async #deliver(owner: Subscriber): Promise<void> {
    owner.busy = true;
    try {
      for (let next = owner.queue.shift(); next !== undefined; next = owner.queue.shift()) {
        const { parcel, subscriptionId } = next;
        owner.queuedBytes -= parcel.bytes;
        try {
          const port = owner.route();
          if (port === undefined) throw new HubError(ErrorCode.Unavailable, "it is not connected");
          const encode = (requestId: string) => parcel.request(requestId, subscriptionId, this.#delivery.timeoutMs);
          await sendToPeer(port, this.#wheel, encode, this.#delivery);
          this.counts.delivered += 1;
        } catch (reason) {
          this.counts.dropped += 1;
          this.#onDrop(owner.name, parcel.topic, HubError.from(reason).message);
        }
      }
    } finally {
      owner.busy = false;
    }
  }

  #drop(subscription: Subscription | undefined): void {
    if (subscription === undefined) return;
    subscription.owner.subscriptions.delete(subscription.id);
    this.#patterns.delete(subscription);
    const set = this.#topics.get(subscription.topic);
    set?.delete(subscription);
    if (set?.size === 0) this.#topics.delete(subscription.topic);
  }
}

const DELIVERY = {
  name: "publish",
  expected: "acknowledgement",
  maxBytes: MAX_ACKNOWLEDGEMENT_BYTES,
} as const;

/** Every filter must be a payload field that holds exactly that text; no payload fits no filter. */
function matches(filters: ReadonlyMap<string, string>, payload: { [key: string]: unknown } | undefined): boolean {
  for (const [key, value] of filters) {
    if (payload === undefined || !Object.hasOwn(payload, key) || payload[key] !== value) return false;
  }
  return true;
}
