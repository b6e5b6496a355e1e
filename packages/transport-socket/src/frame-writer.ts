import type { Duplex } from "node:stream";
import { type PayloadSource, payloadOf } from "@orchestrator/transport";
import type { Backlog } from "./backlog.ts";
import { BulkQueue } from "./bulk-queue.ts";
import { type FrameKind, HEADER_BYTES, MAX_PIECE_BYTES, writeHeader } from "./frame.ts";

/** Frames are gathered in slabs of this size. */
const SLAB_BYTES = 64 * 1024;
/** Payloads from here up are handed to the socket as they are: copying them costs more than one more buffer in the write. */
const COPY_LIMIT_BYTES = 8 * 1024;
/** Pieces of long messages wait while the socket holds more than this, so that a short message never waits behind more. */
const BULK_AHEAD_BYTES = 128 * 1024;

export interface FrameWriterOptions {
  readonly backlog: Backlog;
  /** The last piece of the last long message has been handed to the socket. */
  readonly onBulkSent: () => void;
  /** The peer does not read; called once, never from inside a method of the writer. */
  readonly onHopeless: (waitingBytes: number) => void;
}

/**
 * Writes frames to a socket, once per turn of the event loop: frames of one turn share a buffer and a system call. Long messages
 * go in pieces, those of different calls in turn.
 */
export class FrameWriter {
  readonly #socket: Duplex;
  readonly #options: FrameWriterOptions;
  readonly #bulk = new BulkQueue();
  #slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #start = 0;
  #used = 0;
  #scheduled = false;
  #stopped = false;
  /** Bytes given to the socket since the link began. */
  #handedOn = 0;
  readonly #onFlush = () => this.flush();
  readonly #onWritten = () => this.#pump();

  constructor(socket: Duplex, options: FrameWriterOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Long messages wait to be cut. */
  get hasBulk(): boolean {
    return !this.#bulk.isEmpty;
  }

  /** A frame that may overtake long messages. The payload is at most MAX_PIECE_BYTES. */
  frame(kind: FrameKind, call: number, payload: Uint8Array): void {
    const length = payload.length;
    if (length > COPY_LIMIT_BYTES) {
      const header = this.#reserve(HEADER_BYTES);
      writeHeader(this.#slab, header, length, call, kind);
      this.#socket.cork();
      this.flush();
      this.#write(payload);
      this.#socket.uncork();
      return;
    }
    const at = this.#begin(kind, call, length);
    // A loop beats set() for short payloads, whose call costs more than the copying.
    if (length < 64) for (let i = 0; i < length; i += 1) this.#slab[at + i] = payload[i]!;
    else this.#slab.set(payload, at);
  }

  /** The same, for a payload that is written right here. */
  frameFrom(kind: FrameKind, call: number, source: PayloadSource): void {
    const { length } = source;
    if (length > COPY_LIMIT_BYTES) {
      this.frame(kind, call, payloadOf(source));
      return;
    }
    // First the place, which may lie in a new slab; the old one is the socket's.
    const at = this.#begin(kind, call, length);
    source.writeTo(this.#slab, at);
  }

  /** A message, in pieces where it is long; behind what its call has sent before. */
  message(kind: FrameKind, call: number, payload: Uint8Array): void {
    if (payload.length <= MAX_PIECE_BYTES && !this.#bulk.has(call)) {
      this.frame(kind, call, payload);
      return;
    }
    this.longMessage(kind, call, [payload]);
  }

  /** A message that goes in pieces, cut from these segments in order. */
  longMessage(kind: FrameKind, call: number, segments: Uint8Array[]): void {
    this.#bulk.add(kind, call, segments);
    this.#pump();
    this.#look();
  }

  /** Forgets what a call has not sent yet. */
  drop(call: number): void {
    this.#bulk.drop(call);
  }

  /** Forgets everything that the socket does not have. */
  stop(): void {
    this.#stopped = true;
    this.#bulk.clear();
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#used === this.#start) return;
    const bytes = this.#slab.subarray(this.#start, this.#used);
    this.#start = this.#used;
    this.#write(bytes);
    // What the socket has taken whole, as it nearly always does, it will not read again.
    if (this.#socket.writableLength > 0 || this.#socket.destroyed) return;
    this.#start = 0;
    this.#used = 0;
  }

  #write(bytes: Uint8Array): void {
    if (this.#stopped || this.#socket.destroyed) return;
    this.#handedOn += bytes.length;
    this.#socket.write(bytes, this.#onWritten);
    this.#look();
  }

  /** A frame that is sent with the next flush. @returns where its payload goes in the slab */
  #begin(kind: FrameKind, call: number, length: number): number {
    const at = this.#reserve(HEADER_BYTES + length);
    writeHeader(this.#slab, at, length, call, kind);
    if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(this.#onFlush);
    }
    return at + HEADER_BYTES;
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

  /** One piece of each call in turn, as long as the socket takes them; called again with every write that it has finished. */
  #pump(): void {
    if (this.#bulk.isEmpty) return;
    while (!this.#socket.destroyed && this.#socket.writableLength < BULK_AHEAD_BYTES) {
      const piece = this.#bulk.next();
      if (piece === undefined) break;
      this.frame(piece.kind, piece.call, piece.payload);
    }
    if (this.#bulk.isEmpty) this.#options.onBulkSent();
  }

  /** Whether it is time to give the peer up. */
  #look(): void {
    const held = this.#socket.writableLength;
    const waiting = held + this.#bulk.bytes;
    if (this.#stopped || !this.#options.backlog.isHopeless(waiting, this.#handedOn - held)) return;
    this.stop();
    queueMicrotask(() => this.#options.onHopeless(waiting));
  }
}
