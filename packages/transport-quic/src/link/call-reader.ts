import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES } from "@orchestrator/protocol";
import { CALL_WINDOW_BYTES } from "@orchestrator/transport";
import { ENDED_BY_PEER, type EngineConnection } from "../engine/engine.ts";
import type { Call } from "./call.ts";

/** What reading a call's stream leads to. Each may end the call, or the whole link. */
export interface ReadEvents {
  message(call: Call, payload: Uint8Array, last: boolean): void;
  /** The stream ended after its last message, or without any. */
  finished(call: Call): void;
  /** The stream ended inside a frame. */
  cutOff(call: Call): void;
  tooLarge(call: Call, length: number): void;
  resetByPeer(call: Call, code: number): void;
  /** The call was over already, and still bytes of it came. */
  unwanted(call: Call): void;
}

/**
 * Memory for short messages, which are handed over as views of it: one allocation for some fifty of them. Whoever keeps a short
 * message keeps all of its slab.
 */
const SLAB_BYTES = 32 * 1024;
/** With less room than this a new slab is begun. */
const SMALLEST_READ_BYTES = 8 * 1024;
/** A message that comes in pieces starts with this much memory, whatever its header claims, and doubles as bytes arrive. */
const FIRST_ALLOCATION_BYTES = 64 * 1024;

/** Cuts streams into messages. */
export class CallReader {
  readonly #engine: EngineConnection;
  readonly #events: ReadEvents;
  /** What is left of the slab. */
  #chunk = new Uint8Array(SLAB_BYTES);

  constructor(engine: EngineConnection, events: ReadEvents) {
    this.#engine = engine;
    this.#events = events;
  }

  /**
   * Reads what there is, up to the call's window: what is left unread is the backpressure, and QUIC tells the sender.
   * @param everything reads past the window too: the connection is gone, so nothing more can come
   */
  read(call: Call, everything: boolean): void {
    while (!call.receiveDone) {
      if (call.uncredited >= CALL_WINDOW_BYTES && call.betweenFrames && !call.over && !everything) return;
      const isChunk = call.payload === undefined || call.over;
      const into = isChunk ? this.#chunk : this.#space(call);
      const bytes = this.#engine.read(call.stream, into);
      if (bytes < 0) {
        if (bytes !== ENDED_BY_PEER) return;
        call.receiveDone = true;
        this.#events.resetByPeer(call, this.#engine.streamError);
        return;
      }
      const finished = this.#engine.finished;
      if (finished) call.receiveDone = true;
      if (call.over) {
        if (finished) this.#events.finished(call);
        else this.#events.unwanted(call);
      } else {
        if (isChunk) this.#cut(call, bytes, finished);
        else this.#filled(call, bytes, finished);
        // The handler may have ended it with a message before the last.
        if (finished && call.over) this.#events.finished(call);
      }
      // A short read means that nothing is left; the next one would only cost a call into native code to learn it.
      if (finished || bytes < into.length) return;
    }
  }

  /** Room in the message under way, grown where needed. */
  #space(call: Call): Uint8Array {
    let payload = call.payload!;
    if (call.filled === payload.length) {
      const grown = new Uint8Array(Math.min(call.length, payload.length * 2));
      grown.set(payload);
      payload = grown;
      call.payload = grown;
    }
    return payload.subarray(call.filled);
  }

  #filled(call: Call, bytes: number, finished: boolean): void {
    call.filled += bytes;
    if (call.filled === call.length) {
      const payload = call.payload!;
      call.payload = undefined;
      call.length = 0;
      this.#events.message(call, payload, finished);
    } else if (finished) {
      this.#events.cutOff(call);
    }
  }

  /** Takes the messages out of the chunk. */
  #cut(call: Call, end: number, finished: boolean): void {
    const chunk = this.#chunk;
    this.#leave(end);
    let position = 0;
    while (position < end) {
      while (call.headerBytes < FRAME_HEADER_BYTES && position < end) {
        call.length = ((call.length << 8) | chunk[position++]!) >>> 0;
        call.headerBytes++;
      }
      if (call.headerBytes < FRAME_HEADER_BYTES) break;
      const length = call.length;
      if (length > MAX_FRAME_BYTES) {
        this.#events.tooLarge(call, length);
        return;
      }
      const available = end - position;
      if (available < length) {
        call.payload = new Uint8Array(Math.min(length, Math.max(FIRST_ALLOCATION_BYTES, available)));
        call.payload.set(chunk.subarray(position, end));
        call.filled = available;
        call.headerBytes = 0;
        break;
      }
      const payload = chunk.subarray(position, position + length);
      position += length;
      call.headerBytes = 0;
      call.length = 0;
      const last = finished && position === end;
      this.#events.message(call, payload, last);
      if (last || call.over) return;
    }
    if (!finished) return;
    if (call.betweenFrames) this.#events.finished(call);
    else this.#events.cutOff(call);
  }

  /** Leaves the first bytes of the chunk to the messages in them. */
  #leave(bytes: number): void {
    const left = this.#chunk.length - bytes;
    this.#chunk = left < SMALLEST_READ_BYTES ? new Uint8Array(SLAB_BYTES) : this.#chunk.subarray(bytes);
  }
}
