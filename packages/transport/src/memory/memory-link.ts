import { ErrorCode, HubError, MAX_FRAME_BYTES } from "@orchestrator/protocol";
import { cancelledByPeer, linkLost, notOpen } from "../errors.ts";
import { type AcceptLink, CALL_WINDOW_BYTES, type CallId, type Link, type LinkHandler } from "../link.ts";
import { platform } from "../platform.ts";
import { DeliveryQueue } from "./delivery-queue.ts";

export interface MemoryLinkOptions {
  /** Makes the handler of the first and of the second side. */
  readonly accept: readonly [AcceptLink, AcceptLink];
  /** What the first and the second side are called: the `peer` of the other one. Default "a" and "b". */
  readonly names?: readonly [string, string];
}

/**
 * Two linked sides in one process. Messages are handed over as they are, without a copy, in order, never inside the call
 * that sent them; windows, cancellation and closing are those of every other carrier.
 */
export function memoryLinkPair(options: MemoryLinkOptions): [Link, Link] {
  const [nameA, nameB] = options.names ?? ["a", "b"];
  const queue = new DeliveryQueue<Delivery>((delivery) => delivery.to.deliver(delivery));
  const a = new MemoryLink(nameB, 0, queue);
  const b = new MemoryLink(nameA, 1, queue);
  a.join(b, options.accept[0]);
  b.join(a, options.accept[1]);
  return [a, b];
}

interface Delivery {
  readonly kind: "request" | "message" | "cancel" | "credit" | "closing" | "close" | "abort";
  readonly from: MemoryLink;
  readonly to: MemoryLink;
  readonly call: CallId;
  readonly payload?: Uint8Array;
  readonly last?: boolean;
  readonly bytes?: number;
  readonly error?: HubError;
}

interface Call {
  readonly opener: boolean;
  /** Bytes that may still be sent; the message that uses it up may take it below zero. */
  balance: number;
  /** Messages that wait for credit, oldest first. */
  readonly pending: { readonly payload: Uint8Array; readonly last: boolean }[];
  /** `send` said false and `drained` is due. */
  owesDrained: boolean;
  /** This side has nothing more to say; as the answering side it hears nothing more either. */
  sentLast: boolean;
}

class MemoryLink implements Link {
  readonly peer: string;
  readonly carrier = "memory";
  readonly remoteAddress = "memory";
  readonly closed: Promise<void>;
  readonly #queue: DeliveryQueue<Delivery>;
  readonly #calls = new Map<CallId, Call>();
  #resolveClosed!: () => void;
  #other!: MemoryLink;
  #handler!: LinkHandler;
  #nextCall: CallId;
  #state: "open" | "peer-closing" | "closing" | "closed" = "open";
  /** Set by `abort`: what this side sent and is not yet delivered counts as never sent. */
  #aborted = false;
  #graceTimer: unknown;
  #graceEndsMs = Number.POSITIVE_INFINITY;

  constructor(peer: string, firstCall: CallId, queue: DeliveryQueue<Delivery>) {
    this.peer = peer;
    this.#nextCall = firstCall;
    this.#queue = queue;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  join(other: MemoryLink, accept: AcceptLink): void {
    this.#other = other;
    this.#handler = accept(this);
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  open(payload: Uint8Array, last: boolean): CallId {
    checkSize(payload);
    if (this.#state !== "open") throw notOpen(this.peer);
    const id = this.#nextCall;
    this.#nextCall += 2;
    const call: Call = {
      opener: true,
      balance: CALL_WINDOW_BYTES - payload.length,
      pending: [],
      owesDrained: false,
      sentLast: last,
    };
    this.#calls.set(id, call);
    this.#post({ kind: "request", call: id, payload, last });
    return id;
  }

  send(id: CallId, payload: Uint8Array, last: boolean): boolean {
    checkSize(payload);
    const call = this.#calls.get(id);
    if (call === undefined || call.sentLast) return true;
    call.sentLast = last;
    if (call.balance <= 0) call.pending.push({ payload, last });
    else this.#transmit(id, call, payload, last);
    if (last) return true;
    call.owesDrained ||= call.balance <= 0;
    return !call.owesDrained;
  }

  cancel(id: CallId): void {
    const call = this.#calls.get(id);
    if (call === undefined || isOver(call)) return;
    this.#end(id);
    this.#post({ kind: "cancel", call: id, error: cancelledByPeer() });
  }

  credit(id: CallId, bytes: number): void {
    if (this.#calls.has(id)) this.#post({ kind: "credit", call: id, bytes });
  }

  close(graceMs = 5_000): Promise<void> {
    if (this.#state === "closed") return this.closed;
    if (this.#state !== "closing") {
      this.#state = "closing";
      this.#post({ kind: "closing", call: 0 });
    }
    const endsMs = Date.now() + graceMs;
    if (endsMs < this.#graceEndsMs) {
      this.#graceEndsMs = endsMs;
      platform.clearTimeout(this.#graceTimer);
      this.#graceTimer = platform.setTimeout(() => this.#cancelAll(linkLost(this.peer, "was closed")), graceMs);
    }
    this.#closeIfIdle();
    return this.closed;
  }

  abort(reason: HubError): void {
    if (this.#state === "closed") return;
    this.#aborted = true;
    this.#post({ kind: "abort", call: 0 });
    this.#finish(reason);
  }

  /** What the other side posted arrives here. */
  deliver(delivery: Delivery): void {
    if (delivery.kind === "abort") this.#finish(linkLost(this.peer, "was aborted by the peer"));
    if (delivery.from.#aborted || this.#state === "closed") return;
    const { kind, call: id } = delivery;
    if (kind === "request") {
      this.#request(delivery);
    } else if (kind === "closing") {
      if (this.#state === "open") this.#state = "peer-closing";
    } else if (kind === "close") {
      this.#finish(undefined);
      delivery.from.#finish(undefined);
    } else {
      const call = this.#calls.get(id);
      if (call !== undefined) this.#deliverToCall(delivery, id, call);
    }
  }

  #deliverToCall(delivery: Delivery, id: CallId, call: Call): void {
    if (delivery.kind === "credit") {
      this.#credited(id, call, delivery.bytes!);
    } else if (delivery.kind === "cancel") {
      this.#end(id);
      if (!isOver(call)) this.#handler.cancelled(id, delivery.error!);
    } else if (!isOver(call)) {
      if (delivery.last === true && call.opener) this.#end(id);
      this.#handler.message(id, delivery.payload!, delivery.last!);
    }
  }

  #request(delivery: Delivery): void {
    if (this.#state === "closing") {
      this.#post({ kind: "cancel", call: delivery.call, error: linkLost(this.#other.peer, "is closing") });
      return;
    }
    const call: Call = {
      opener: false,
      balance: CALL_WINDOW_BYTES,
      pending: [],
      owesDrained: false,
      sentLast: false,
    };
    this.#calls.set(delivery.call, call);
    this.#handler.request(delivery.call, delivery.payload!, delivery.last!);
  }

  #credited(id: CallId, call: Call, bytes: number): void {
    call.balance += bytes;
    while (call.balance > 0 && call.pending.length > 0) {
      const { payload, last } = call.pending.shift()!;
      this.#transmit(id, call, payload, last);
    }
    if (call.balance <= 0 || !call.owesDrained || call.sentLast) return;
    call.owesDrained = false;
    this.#handler.drained(id);
  }

  #transmit(id: CallId, call: Call, payload: Uint8Array, last: boolean): void {
    call.balance -= payload.length;
    this.#post({ kind: "message", call: id, payload, last });
    if (last && !call.opener) this.#end(id);
  }

  #post(delivery: Omit<Delivery, "from" | "to">): void {
    this.#queue.push({ ...delivery, from: this, to: this.#other });
  }

  #end(id: CallId): void {
    this.#calls.delete(id);
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    if (this.#state === "closing" && this.#calls.size === 0) this.#post({ kind: "close", call: 0 });
  }

  /** Cancels what is still open, on both sides. */
  #cancelAll(error: HubError): void {
    for (const [id, call] of this.#calls) {
      this.#calls.delete(id);
      this.#post({ kind: "cancel", call: id, error });
      if (!isOver(call)) this.#handler.cancelled(id, error);
    }
    this.#closeIfIdle();
  }

  #finish(reason: HubError | undefined): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    platform.clearTimeout(this.#graceTimer);
    const error = reason ?? linkLost(this.peer, "was closed");
    for (const [id, call] of this.#calls) {
      this.#calls.delete(id);
      if (!isOver(call)) this.#handler.cancelled(id, error);
    }
    this.#handler.closed(reason);
    this.#resolveClosed();
  }
}

/** The answering side has given its last message, which may still wait for credit. */
function isOver(call: Call): boolean {
  return call.sentLast && !call.opener;
}

function checkSize(payload: Uint8Array): void {
  if (payload.length <= MAX_FRAME_BYTES) return;
  throw new HubError(
    ErrorCode.FrameTooLarge,
    `Cannot send message: ${payload.length} bytes, the limit is ${MAX_FRAME_BYTES}`,
  );
}
