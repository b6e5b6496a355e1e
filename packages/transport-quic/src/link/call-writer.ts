import { FRAME_HEADER_BYTES, writeFrameHeader } from "@orchestrator/protocol";
import type { EngineConnection } from "../engine/engine.ts";
import type { Call } from "./call.ts";

/** Bytes that may wait in a call's queue before `send` says false; `drained` comes at half of it. */
const QUEUE_BYTES = 128 * 1024;
/** Largest piece handed to the engine at once. */
const CHUNK_BYTES = 64 * 1024;
/** What a packet costs besides its stream data: header, connection id, tag, frame header, and an acknowledgement that rides along. */
const PACKET_OVERHEAD_BYTES = 80;
const PACKET_DATA_BYTES = 1200;
/** Smaller pieces than this are not worth a packet of their own while acknowledgements are on their way. */
const SMALLEST_PIECE_BYTES = 512;

/** What writing leads to. */
export interface WriteEvents {
  /** The peer wants nothing more of this stream. */
  stoppedByPeer(call: Call, code: number): void;
  /** The call's last byte and FIN were taken. */
  sent(call: Call): void;
  drained(call: Call): void;
}

/**
 * Hands messages to the engine, never more than can leave in packets at once, and keeps the rest.
 *
 * quiche 0.18 never forgets a stream that is stopped or reset while bytes of it are accepted but unsent, so that each
 * cancelled bulk call would cost the peer one stream credit for good. Hence the budget: what quiche says it would accept
 * (it counts the bytes of a window, not the packets around them) less what the packets will cost.
 */
export class CallWriter {
  readonly #engine: EngineConnection;
  readonly #events: WriteEvents;
  readonly #chunk = new Uint8Array(CHUNK_BYTES + FRAME_HEADER_BYTES);
  /** Calls with a queue, oldest first. */
  readonly #blocked = new Set<Call>();
  /** Lower bound of what the engine can send at once; negative where it is not known. */
  #budget = -1;
  /** Cost of packets for what was written since datagrams last came in; quiche's own figure leaves it out until then. */
  #overhead = 0;

  constructor(engine: EngineConnection, events: WriteEvents) {
    this.#engine = engine;
    this.#events = events;
  }

  /** Something could not be sent yet. */
  get isBlocked(): boolean {
    return this.#blocked.size > 0;
  }

  /** Acknowledgements may have come in: what was known about room is out of date. */
  received(): void {
    this.#budget = -1;
    this.#overhead = 0;
  }

  /** @returns false when the call's queue is full */
  send(call: Call, payload: Uint8Array, last: boolean): boolean {
    if (call.queue.length > 0) {
      call.enqueue(payload, 0, last);
    } else {
      const position = this.#write(call, payload, 0, last);
      if (position < 0) return true;
      if (position === payload.length + FRAME_HEADER_BYTES) {
        if (last) this.#events.sent(call);
        return true;
      }
      call.enqueue(payload, position, last);
      this.#blocked.add(call);
    }
    if (call.queuedBytes < QUEUE_BYTES) return true;
    call.owesDrained = true;
    return false;
  }

  /** For a call that had no stream so far: sends its queue. */
  start(call: Call): void {
    this.#blocked.add(call);
    this.#continue(call);
  }

  /** Tries the queues again. */
  retry(): void {
    for (const call of this.#blocked) this.#continue(call);
  }

  forget(call: Call): void {
    call.dropQueue();
    this.#blocked.delete(call);
  }

  #continue(call: Call): void {
    while (call.queue.length > 0) {
      const message = call.queue[0]!;
      const position = this.#write(call, message.payload, message.position, message.last);
      if (position < 0) return;
      call.queuedBytes -= position - message.position;
      message.position = position;
      if (position < message.payload.length + FRAME_HEADER_BYTES) break;
      call.queue.shift();
      if (message.last) {
        this.#blocked.delete(call);
        this.#events.sent(call);
        return;
      }
    }
    if (call.queue.length === 0) this.#blocked.delete(call);
    if (!call.owesDrained || call.queuedBytes > QUEUE_BYTES / 2) return;
    call.owesDrained = false;
    this.#events.drained(call);
  }

  /** Writes a frame from `position` on. @returns the position reached, or -1 when the peer stopped the stream */
  #write(call: Call, payload: Uint8Array, position: number, last: boolean): number {
    const end = payload.length + FRAME_HEADER_BYTES;
    while (position < end) {
      const wanted = Math.min(end - position, CHUNK_BYTES);
      const allowed = this.#allow(call, wanted);
      if (allowed === 0) return position;
      if (allowed < 0) {
        this.#events.stoppedByPeer(call, this.#engine.streamError);
        return -1;
      }
      const bytes = this.#piece(payload, position, allowed);
      // FIN goes with the last bytes and never alone: quiche can drop a FIN of its own for ever.
      const taken = this.#engine.write(call.stream, bytes, last && position + allowed === end);
      if (taken < 0) {
        this.#events.stoppedByPeer(call, this.#engine.streamError);
        return -1;
      }
      call.exists = true;
      const cost = packetCost(taken);
      this.#overhead += cost;
      this.#budget -= taken + cost;
      position += taken;
      if (taken < allowed) return position;
    }
    return position;
  }

  #piece(payload: Uint8Array, position: number, bytes: number): Uint8Array {
    const start = position - FRAME_HEADER_BYTES;
    if (start >= 0) return payload.subarray(start, start + bytes);
    // Header and payload in one piece: a second call into native code costs more than the copy.
    writeFrameHeader(this.#chunk, 0, payload.length);
    const rest = position + bytes - FRAME_HEADER_BYTES;
    if (rest > 0) this.#chunk.set(rest >= payload.length ? payload : payload.subarray(0, rest), FRAME_HEADER_BYTES);
    return this.#chunk.subarray(position, position + bytes);
  }

  /** How many of `wanted` bytes can leave at once; negative for a stream that the peer stopped. */
  #allow(call: Call, wanted: number): number {
    const needed = wanted + packetCost(wanted);
    if (this.#budget >= needed) return wanted;
    // The engine knows of no room for a stream that is not there yet; one packet's worth creates it. (Bytes of such a stream
    // that stay behind cost nobody a credit: it is this side that opened it.)
    if (!call.exists) return Math.min(wanted, PACKET_DATA_BYTES);
    const capacity = this.#engine.capacity(call.stream);
    if (capacity < 0) return capacity;
    // The smaller of the connection's room and the stream's. So it says how little the connection has, not how much.
    const room = Math.max(0, capacity - this.#overhead);
    if (room > this.#budget) this.#budget = room;
    if (room >= needed) return wanted;
    const fits = Math.floor(
      ((room - PACKET_OVERHEAD_BYTES) * PACKET_DATA_BYTES) / (PACKET_DATA_BYTES + PACKET_OVERHEAD_BYTES),
    );
    if (fits >= wanted) return wanted;
    return fits < SMALLEST_PIECE_BYTES ? 0 : fits;
  }
}

function packetCost(bytes: number): number {
  return PACKET_OVERHEAD_BYTES * (1 + Math.floor(bytes / PACKET_DATA_BYTES));
}
