import { FRAME_HEADER_BYTES } from "@orchestrator/protocol";
import type { CallId } from "@orchestrator/transport";

/** A message that the connection did not take at once. */
export interface QueuedMessage {
  readonly payload: Uint8Array;
  readonly last: boolean;
  /** Bytes of the frame (header, then payload) that were taken. */
  position: number;
}

/** What is known of one call: plain data; reader, writer and link each look after their part. */
export class Call {
  readonly id: CallId;
  /** -1 while the call waits for a stream. */
  stream: number;
  readonly opener: boolean;
  /** The call has ended for this side's handler. Its stream may still have to be read to its end. */
  over = false;
  /** Counted in the link's open calls. */
  active = true;

  /** The peer's direction has ended, or was given up. */
  receiveDone = false;
  /** At least one message was delivered. */
  received = false;
  /** Bytes of delivered messages that were not credited back. */
  uncredited = 0;
  /** The frame under way: bytes of its header so far, its length, and its payload once the header is complete. */
  headerBytes = 0;
  length = 0;
  payload: Uint8Array | undefined;
  filled = 0;

  /** The engine knows the stream. */
  exists: boolean;
  /** This side's direction has ended: its last byte and FIN were taken, or it was reset. */
  sendDone = false;
  /** `last` was sent or queued. */
  saidLast = false;
  readonly queue: QueuedMessage[] = [];
  queuedBytes = 0;
  owesDrained = false;

  constructor(id: CallId, stream: number, opener: boolean) {
    this.id = id;
    this.stream = stream;
    this.opener = opener;
    this.exists = !opener;
  }

  /** The peer's bytes may end here without cutting a message off. */
  get betweenFrames(): boolean {
    return this.headerBytes === 0 && this.payload === undefined;
  }

  enqueue(payload: Uint8Array, position: number, last: boolean): void {
    this.queue.push({ payload, last, position });
    this.queuedBytes += payload.length + FRAME_HEADER_BYTES - position;
  }

  dropQueue(): void {
    this.queue.length = 0;
    this.queuedBytes = 0;
  }
}
