import { ErrorCode, HubError } from "@orchestrator/protocol";

/**
 * The frame of socket carriers: 4 bytes length of what follows, 4 bytes call id, 1 byte kind, then the payload. Numbers are
 * big-endian. docs/wire.md is the full text.
 */
export const HEADER_BYTES = 9;

/** A payload is at most this long; longer messages travel in pieces, so that no call waits behind a long message of another one. */
export const MAX_PIECE_BYTES = 64 * 1024;

/** A piece of a long message holds at least this much, so that a message cannot be made of millions of tiny ones. */
export const MIN_PIECE_BYTES = 1024;

/** One direction of a link may have begun and not finished so many long messages: with 16 MiB each, this bounds what they hold. */
export const MAX_UNFINISHED_MESSAGES = 16;

/** What a frame means. */
export const FrameKind = {
  /** First frame of each side, call id 0: "ORCH", version. */
  Hello: 0,
  /** Opens a call; more messages of the opener may follow. */
  Request: 1,
  /** Opens a call; the opener sends nothing more on it. */
  RequestLast: 2,
  /** One more message. */
  Message: 3,
  /** The last message of this side. */
  MessageLast: 4,
  /** A piece of a long message; the message ends with a Message or MessageLast that holds its last piece. */
  Part: 5,
  /** The call is over in both directions. One byte says why: 0 cancelled, 1 unavailable, 2 too many calls. */
  Cancel: 6,
  /** 4 bytes: so many more bytes of messages may be sent on the call. */
  Credit: 7,
  /** Call id 0. The peer answers with Pong and the same payload of at most 8 bytes. */
  Ping: 8,
  Pong: 9,
  /** Call id 0. The sender opens and accepts no more calls; those under way go on. */
  Goaway: 10,
  /** Opens a call whose first message is long and follows in pieces. No payload. */
  LongRequest: 11,
} as const;
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

export const CANCELLED = 0;
export const UNAVAILABLE = 1;
export const EXHAUSTED = 2;

/** The payload of Hello: "ORCH" and the version of this frame format. */
export const HELLO: Uint8Array = Uint8Array.of(0x4f, 0x52, 0x43, 0x48, 1);

export function writeHeader(into: Uint8Array, at: number, payloadBytes: number, call: number, kind: FrameKind): void {
  const length = payloadBytes + 5;
  into[at] = length >>> 24;
  into[at + 1] = length >>> 16;
  into[at + 2] = length >>> 8;
  into[at + 3] = length;
  into[at + 4] = call >>> 24;
  into[at + 5] = call >>> 16;
  into[at + 6] = call >>> 8;
  into[at + 7] = call;
  into[at + 8] = kind;
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** The peer broke a rule of the frame format: the only thing that a link is ended for with `PROTOCOL`. */
export class FrameError extends HubError {
  constructor(what: string) {
    super(ErrorCode.Protocol, `The peer broke the frame format: ${what}`);
  }
}

/** The error to throw for a rule that the peer broke. */
export function brokenFrame(what: string): FrameError {
  return new FrameError(what);
}
