import { ErrorCode, HubError, MAX_FRAME_BYTES } from "@orchestrator/protocol";
import { CALL_WINDOW_BYTES } from "@orchestrator/transport";
import { brokenFrame, type FrameKind } from "./frame.ts";

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
  /** Pieces of a long request have come, the request itself has not. */
  isAnnounced = false;
  /** Pieces of a long message, and their bytes. */
  #parts: Uint8Array[] | undefined = undefined;
  #partBytes = 0;

  constructor(id: number, isOurs: boolean) {
    this.id = id;
    this.isOurs = isOurs;
  }

  /** @throws {HubError} `PROTOCOL` when the message grows past 16 MiB */
  addPart(payload: Uint8Array): void {
    this.#partBytes += payload.length;
    if (this.#partBytes > MAX_FRAME_BYTES) throw brokenFrame(`a message of more than ${MAX_FRAME_BYTES} bytes`);
    this.#parts ??= [];
    this.#parts.push(payload);
  }

  /** The whole message, given its last piece. */
  whole(lastPiece: Uint8Array): Uint8Array {
    if (this.#parts === undefined) return lastPiece;
    this.addPart(lastPiece);
    const message = new Uint8Array(this.#partBytes);
    let at = 0;
    for (const part of this.#parts) {
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
}

/** @throws {HubError} `FRAME_TOO_LARGE` */
export function checkSize(payload: Uint8Array): void {
  if (payload.length <= MAX_FRAME_BYTES) return;
  const what = `Cannot send a message of ${payload.length} bytes: the limit is ${MAX_FRAME_BYTES}`;
  throw new HubError(ErrorCode.FrameTooLarge, what);
}
