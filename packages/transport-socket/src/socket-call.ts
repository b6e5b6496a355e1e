import { ErrorCode, HubError, MAX_FRAME_BYTES } from "@orchestrator/protocol";
import { CALL_WINDOW_BYTES } from "@orchestrator/transport";
import { brokenFrame, type FrameKind, MIN_PIECE_BYTES } from "./frame.ts";

/** A message that waits for credit. */
export interface Waiting {
  readonly kind: FrameKind;
  readonly payload: Uint8Array;
}

/** One call under way on a socket link. */
export class SocketCall {
  readonly id: number;
  /** This side opened it. */
  readonly isOurs: boolean;
  /** Bytes that this side may send; a message may take it below zero. */
  sendWindow = CALL_WINDOW_BYTES;
  /** Bytes that the peer may send. */
  receiveWindow = CALL_WINDOW_BYTES;
  /** Messages that wait for credit, in order. */
  waiting: Waiting[] | undefined = undefined;
  /** `send` said false, and `drained` is due. */
  owesDrained = false;
  /** The peer opened it, and its first message, a long one, is not complete: the handler does not know of it. */
  isUnheard = false;
  /** This side, or the peer, has sent its last message. */
  saidLast = false;
  heardLast = false;
  /** Pieces of a long message, and their bytes. */
  #parts: Uint8Array[] | undefined = undefined;
  #partBytes = 0;

  constructor(id: number, isOurs: boolean) {
    this.id = id;
    this.isOurs = isOurs;
  }

  /** The peer's call has been answered here, though the answer may still wait for credit: for the handler it is over. */
  get isAnswered(): boolean {
    return this.saidLast && !this.isOurs;
  }

  /** Pieces of a message are here, and its end is not. */
  get isUnfinished(): boolean {
    return this.#parts !== undefined;
  }

  /** @throws {HubError} `PROTOCOL` for a tiny piece, or when the message grows past 16 MiB */
  addPart(payload: Uint8Array): void {
    if (payload.length < MIN_PIECE_BYTES) throw brokenFrame(`a piece of ${payload.length} bytes`);
    this.#parts ??= [];
    this.#add(this.#parts, payload);
  }

  /** The whole message, given its last piece. @throws {HubError} `PROTOCOL` when it is longer than 16 MiB */
  whole(lastPiece: Uint8Array): Uint8Array {
    const parts = this.#parts;
    if (parts === undefined) return lastPiece;
    this.#add(parts, lastPiece);
    const message = new Uint8Array(this.#partBytes);
    let at = 0;
    for (const part of parts) {
      message.set(part, at);
      at += part.length;
    }
    this.#parts = undefined;
    this.#partBytes = 0;
    return message;
  }

  /** Counts a message of the peer. @throws {HubError} `PROTOCOL` when it had no credit left */
  received(bytes: number): void {
    if (this.receiveWindow <= 0) throw brokenFrame(`a message on call ${this.id} beyond its window`);
    this.receiveWindow -= bytes;
  }

  #add(parts: Uint8Array[], payload: Uint8Array): void {
    this.#partBytes += payload.length;
    if (this.#partBytes > MAX_FRAME_BYTES) throw brokenFrame(`a message of more than ${MAX_FRAME_BYTES} bytes`);
    parts.push(payload);
  }
}

/** @throws {HubError} `FRAME_TOO_LARGE` */
export function checkSize(payload: Uint8Array): void {
  if (payload.length <= MAX_FRAME_BYTES) return;
  const what = `Cannot send a message of ${payload.length} bytes: the limit is ${MAX_FRAME_BYTES}`;
  throw new HubError(ErrorCode.FrameTooLarge, what);
}
