import { FrameKind, MAX_PIECE_BYTES, MAX_UNFINISHED_MESSAGES } from "./frame.ts";

/** What waits on one call: a long message, and what was sent behind it. */
interface BulkCall {
  readonly call: number;
  readonly messages: { readonly kind: FrameKind; readonly payload: Uint8Array }[];
  /** How much of the first message was cut off already. */
  offset: number;
}

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

  add(kind: FrameKind, call: number, payload: Uint8Array): void {
    this.#bytes += payload.length;
    const known = this.#calls.get(call);
    if (known !== undefined) {
      known.messages.push({ kind, payload });
      return;
    }
    const bulk = { call, messages: [{ kind, payload }], offset: 0 };
    this.#calls.set(call, bulk);
    if (this.#turn.length < MAX_UNFINISHED_MESSAGES) this.#turn.push(bulk);
    else this.#later.set(call, bulk);
  }

  next(): Piece | undefined {
    const bulk = this.#turn.shift();
    if (bulk === undefined) return undefined;
    const { kind, payload } = bulk.messages[0]!;
    const start = bulk.offset;
    const end = Math.min(start + MAX_PIECE_BYTES, payload.length);
    this.#bytes -= end - start;
    const isEnd = end === payload.length;
    bulk.offset = isEnd ? 0 : end;
    if (isEnd) bulk.messages.shift();
    if (bulk.messages.length > 0) this.#turn.push(bulk);
    else {
      this.#calls.delete(bulk.call);
      this.#startLater();
    }
    return { kind: isEnd ? kind : FrameKind.Part, call: bulk.call, payload: payload.subarray(start, end) };
  }

  /** Forgets what a call has not sent yet. */
  drop(call: number): void {
    const bulk = this.#calls.get(call);
    if (bulk === undefined) return;
    this.#calls.delete(call);
    for (const { payload } of bulk.messages) this.#bytes -= payload.length;
    this.#bytes += bulk.offset;
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
