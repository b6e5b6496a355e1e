import {
  ErrorCode,
  HubError,
  PluginRequest,
  type Publish,
  peekRequest,
  type RequestPeek,
  spliceRequest,
} from "@orchestrator/protocol";

/** Larger than that is data, which belongs into storage, with its name in the event. */
export const MAX_EVENT_BYTES = 1024 * 1024;

/** @throws {HubError} `INVALID_ARGUMENT` for an event of more than 1 MiB */
export function checkEventSize(topic: string, bytes: number): void {
  if (bytes <= MAX_EVENT_BYTES) return;
  const what = `Event on "${topic}" is ${bytes} bytes, the limit is ${MAX_EVENT_BYTES}. Store the data and publish where it is`;
  throw new HubError(ErrorCode.InvalidArgument, what);
}

/**
 * An event as it waits for its subscribers: encoded once, whoever gets it. Decoded it would take many times the memory that its
 * size says, and queues are bounded by that size.
 */
export class EventParcel {
  readonly topic: string;
  readonly #bytes: Uint8Array;
  readonly #peek: RequestPeek;
  readonly #source: string;
  readonly #receivedAtMs: number;

  /** @throws {HubError} `INVALID_ARGUMENT` for one that is too large */
  constructor(event: Publish) {
    const { topic, timestamp } = event;
    const value = { ...event, subscriptionId: "", timestamp: undefined };
    this.#bytes = PluginRequest.encode({
      requestId: "",
      request: { $case: "publish", value },
      context: undefined,
    }).finish();
    checkEventSize(topic, this.#bytes.length);
    this.#peek = peekRequest(this.#bytes);
    this.topic = topic;
    this.#source = event.sourcePlugin;
    this.#receivedAtMs =
      timestamp === undefined ? Date.now() : timestamp.seconds * 1_000 + Math.floor(timestamp.nanos / 1_000_000);
  }

  get bytes(): number {
    return this.#bytes.length;
  }

  /** The request that delivers it to one subscription. */
  request(requestId: string, subscriptionId: string, timeoutMs: number): Uint8Array {
    return spliceRequest(this.#bytes, this.#peek, {
      requestId,
      subscriptionId,
      caller: this.#source,
      receivedAtMs: this.#receivedAtMs,
      context: { timeoutMs, acceptsCalls: true },
      allocate: Buffer.allocUnsafe,
    });
  }
}
