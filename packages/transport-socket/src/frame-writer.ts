import type { Duplex } from "node:stream";
import { type FrameKind, HEADER_BYTES, MAX_PIECE_BYTES, writeHeader } from "./frame.ts";

/** Frames are gathered in slabs of this size. */
const SLAB_BYTES = 64 * 1024;
/** Payloads from here up are handed to the socket as they are: copying them costs more than one more buffer in the write. */
const COPY_LIMIT_BYTES = 8 * 1024;
/** Pieces of long messages wait while the socket holds more than this, so that a short message never waits behind more. */
const BULK_AHEAD_BYTES = 128 * 1024;

/** A long message on its way out. */
interface Bulk {
  readonly call: number;
  readonly kind: FrameKind;
  readonly payload: Uint8Array;
  offset: number;
}

/**
 * Writes frames to a socket, once per turn of the event loop: frames of one turn share a buffer and a system call. Long messages
 * go in pieces, those of different calls in turn.
 */
export class FrameWriter {
  readonly #socket: Duplex;
  readonly #partKind: FrameKind;
  readonly #onBulkSent: () => void;
  #slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #start = 0;
  #used = 0;
  #scheduled = false;
  #bulk: Bulk[] = [];
  readonly #onFlush = () => this.flush();

  /** @param onBulkSent called when the last piece of the last long message has been handed to the socket */
  constructor(socket: Duplex, partKind: FrameKind, onBulkSent: () => void) {
    this.#socket = socket;
    this.#partKind = partKind;
    this.#onBulkSent = onBulkSent;
    socket.on("drain", () => this.#pump());
  }

  /** Long messages wait to be cut. */
  get hasBulk(): boolean {
    return this.#bulk.length > 0;
  }

  /** A frame that may overtake long messages. The payload is at most MAX_PIECE_BYTES. */
  frame(kind: FrameKind, call: number, payload: Uint8Array): void {
    const length = payload.length;
    if (length > COPY_LIMIT_BYTES) {
      const header = this.#reserve(HEADER_BYTES);
      writeHeader(this.#slab, header, length, call, kind);
      this.#socket.cork();
      this.flush();
      this.#socket.write(payload);
      this.#socket.uncork();
      return;
    }
    const at = this.#reserve(HEADER_BYTES + length);
    writeHeader(this.#slab, at, length, call, kind);
    // A loop beats set() for short payloads, whose call costs more than the copying.
    if (length < 64) for (let i = 0; i < length; i += 1) this.#slab[at + HEADER_BYTES + i] = payload[i]!;
    else this.#slab.set(payload, at + HEADER_BYTES);
    if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(this.#onFlush);
    }
  }

  /** A message, in pieces where it is long; behind what its call has sent before. */
  message(kind: FrameKind, call: number, payload: Uint8Array): void {
    if (payload.length <= MAX_PIECE_BYTES && !this.#isBulky(call)) {
      this.frame(kind, call, payload);
      return;
    }
    this.#bulk.push({ call, kind, payload, offset: 0 });
    this.#pump();
  }

  /** Forgets what a call has not sent yet. */
  drop(call: number): void {
    if (this.#bulk.length > 0) this.#bulk = this.#bulk.filter((bulk) => bulk.call !== call);
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#used === this.#start || this.#socket.destroyed) return;
    const bytes = this.#slab.subarray(this.#start, this.#used);
    this.#start = this.#used;
    this.#socket.write(bytes);
  }

  #reserve(bytes: number): number {
    if (this.#used + bytes > SLAB_BYTES) {
      this.flush();
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#start = 0;
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += bytes;
    return at;
  }

  #isBulky(call: number): boolean {
    for (const bulk of this.#bulk) if (bulk.call === call) return true;
    return false;
  }

  /** One piece of each call in turn, as long as the socket takes them. */
  #pump(): void {
    if (this.#bulk.length === 0) return;
    while (this.#bulk.length > 0 && !this.#socket.destroyed && this.#socket.writableLength < BULK_AHEAD_BYTES) {
      const bulk = this.#bulk.shift()!;
      const end = Math.min(bulk.offset + MAX_PIECE_BYTES, bulk.payload.length);
      const isEnd = end === bulk.payload.length;
      this.frame(isEnd ? bulk.kind : this.#partKind, bulk.call, bulk.payload.subarray(bulk.offset, end));
      bulk.offset = end;
      if (isEnd) continue;
      // Behind the other calls, but before later messages of its own call.
      const own = this.#bulk.findIndex((other) => other.call === bulk.call);
      if (own === -1) this.#bulk.push(bulk);
      else this.#bulk.splice(own, 0, bulk);
    }
    if (this.#bulk.length === 0) this.#onBulkSent();
  }
}
