import { FrameKind, MAX_PIECE_BYTES, MAX_UNFINISHED_MESSAGES } from "./frame.ts";

/** What waits on one call: a long message, and what was sent behind it. */
interface BulkCall {
  readonly call: number;
  readonly messages: BulkMessage[];
}

interface BulkMessage {
  readonly kind: FrameKind;
  /** In order; what was cut off is gone. */
  readonly segments: Uint8Array[];
  /** Bytes that are left. */
  bytes: number;
}

const NOTHING = new Uint8Array(0);

/** One frame's worth. */
export interface Piece {
  readonly kind: FrameKind;
  readonly call: number;
  readonly payload: Uint8Array;
}

/** Cuts long messages in pieces, those of different calls in turn; no more than the peer allows are begun at once. */
export class BulkQueue {
  readonly #calls = new Map<number, BulkCall>();
  /** Calls whose messages are being cut, the next one first. */
  readonly #turn: BulkCall[] = [];
  /** Calls that wait until one of those is done, in order. */
  readonly #later = new Map<number, BulkCall>();
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#calls.size === 0;
  }

  /** What waits. */
  get bytes(): number {
    return this.#bytes;
  }

  has(call: number): boolean {
    return this.#calls.has(call);
  }

  add(kind: FrameKind, call: number, segments: Uint8Array[]): void {
    let bytes = 0;
    for (const segment of segments) bytes += segment.length;
    this.#bytes += bytes;
    const message = { kind, segments, bytes };
    const known = this.#calls.get(call);
    if (known !== undefined) {
      known.messages.push(message);
      return;
    }
    const bulk = { call, messages: [message] };
    this.#calls.set(call, bulk);
    if (this.#turn.length < MAX_UNFINISHED_MESSAGES) this.#turn.push(bulk);
    else this.#later.set(call, bulk);
  }

  next(): Piece | undefined {
    const bulk = this.#turn.shift();
    if (bulk === undefined) return undefined;
    const message = bulk.messages[0]!;
    const payload = cut(message.segments, Math.min(MAX_PIECE_BYTES, message.bytes));
    message.bytes -= payload.length;
    this.#bytes -= payload.length;
    const isEnd = message.bytes === 0;
    if (isEnd) bulk.messages.shift();
    if (bulk.messages.length > 0) this.#turn.push(bulk);
    else {
      this.#calls.delete(bulk.call);
      this.#startLater();
    }
    return { kind: isEnd ? message.kind : FrameKind.Part, call: bulk.call, payload };
  }

  /** Forgets what a call has not sent yet. */
  drop(call: number): void {
    const bulk = this.#calls.get(call);
    if (bulk === undefined) return;
    this.#calls.delete(call);
    for (const { bytes } of bulk.messages) this.#bytes -= bytes;
    if (this.#later.delete(call)) return;
    this.#turn.splice(this.#turn.indexOf(bulk), 1);
    this.#startLater();
  }

  clear(): void {
    this.#calls.clear();
    this.#later.clear();
    this.#turn.length = 0;
    this.#bytes = 0;
  }

  #startLater(): void {
    const [next] = this.#later.values();
    if (next === undefined) return;
    this.#later.delete(next.call);
    this.#turn.push(next);
  }
}

/** Takes so many bytes off the front: a view where they lie in one segment, else a copy. */
function cut(segments: Uint8Array[], bytes: number): Uint8Array {
  const first = segments[0] ?? NOTHING;
  if (first.length >= bytes) {
    if (first.length === bytes) segments.shift();
    else segments[0] = first.subarray(bytes);
    return first.subarray(0, bytes);
  }
  const piece = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  while (at < bytes) {
    const segment = segments[0]!;
    const count = Math.min(segment.length, bytes - at);
    piece.set(count === segment.length ? segment : segment.subarray(0, count), at);
    if (count === segment.length) segments.shift();
    else segments[0] = segment.subarray(count);
    at += count;
  }
  return piece;
}
