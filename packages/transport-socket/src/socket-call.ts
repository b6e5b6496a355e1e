import { ErrorCode, HubError, MAX_FRAME_BYTES } from "@orchestrator/protocol";
import { CALL_WINDOW_BYTES } from "@orchestrator/transport";
import { brokenFrame, type FrameKind, MIN_PIECE_BYTES } from "./frame.ts";
import { LongMessage } from "./long-message.ts";

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
  /** The long message of which pieces are here. */
  #message: LongMessage | undefined = undefined;

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
    return this.#message !== undefined;
  }

  /** @throws {HubError} `PROTOCOL` for a tiny piece, or when the message grows past 16 MiB */
  addPart(payload: Uint8Array): void {
    if (payload.length < MIN_PIECE_BYTES) throw brokenFrame(`a piece of ${payload.length} bytes`);
    this.#message ??= new LongMessage();
    this.#message.add(payload);
  }

  /** The whole message, given its last piece. @throws {HubError} `PROTOCOL` when it is longer than 16 MiB */
  whole(lastPiece: Uint8Array): Uint8Array {
    const message = this.#message;
    if (message === undefined) return lastPiece;
    message.add(lastPiece);
    this.#message = undefined;
    return message.bytes;
  }

  /** Counts a message of the peer. @throws {HubError} `PROTOCOL` when it had no credit left */
  received(bytes: number): void {
    if (this.receiveWindow <= 0) throw brokenFrame(`a message on call ${this.id} beyond its window`);
    this.receiveWindow -= bytes;
  }
}

/** @throws {HubError} `FRAME_TOO_LARGE` */
export function checkSize(payload: Uint8Array): void {
  checkLength(payload.length);
}

/** @throws {HubError} `FRAME_TOO_LARGE` */
export function checkLength(bytes: number): void {
  if (bytes <= MAX_FRAME_BYTES) return;
  const what = `Cannot send a message of ${bytes} bytes: the limit is ${MAX_FRAME_BYTES}`;
  throw new HubError(ErrorCode.FrameTooLarge, what);
}
