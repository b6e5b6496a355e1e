import { ResponseKind } from "../constants.ts";
import { RESPONSE_MEMBERS } from "./shapes.ts";
import {
  checkText,
  protocolError,
  readBool,
  readLength,
  readText,
  readVarint,
  skipValue,
  varintSize,
  WIRE_BYTES,
  WIRE_VARINT,
} from "./wire.ts";

/** What the hub needs of a response. Ranges, and the making of `requestId` on first use, as in `RequestPeek`. */
export interface ResponsePeek {
  /** Field number of the member that is set, see `ResponseKind`; 0 for none. */
  readonly kind: number;
  readonly requestId: string;
  /** The whole field, tag included. */
  readonly requestIdStart: number;
  readonly requestIdEnd: number;
  /** Where its text starts, which ends where the field does. */
  readonly requestIdAt: number;
  /** The member's payload. */
  readonly bodyStart: number;
  readonly bodyEnd: number;
  /** The `success` of tool_call, storage_write, storage_delete and stream_end; true for every other kind. */
  readonly success: boolean;
  /** The whole error field, tag included. */
  readonly errorStart: number;
  readonly errorEnd: number;
  /** Number of the code in that error; 0 where there is no error or no code in it. */
  readonly errorCode: number;
}

class Peek implements ResponsePeek {
  private readonly bytes: Uint8Array;
  kind = 0;
  requestIdStart = 0;
  requestIdEnd = 0;
  bodyStart = 0;
  bodyEnd = 0;
  success = true;
  errorStart = 0;
  errorEnd = 0;
  errorCode = 0;
  requestIdAt = 0;
  private requestIdText: string | undefined = undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get requestId(): string {
    this.requestIdText ??= readText(this.bytes, this.requestIdAt, this.requestIdEnd);
    return this.requestIdText;
  }
}

/**
 * Scans the bytes of a PluginResponse once, as strictly as a request's.
 * @throws {HubError} `PROTOCOL` as `peekRequest` does
 */
export function peekResponse(bytes: Uint8Array): ResponsePeek {
  const peek = new Peek(bytes);
  const end = bytes.length;
  let pos = 0;
  while (pos < end) {
    const start = pos;
    const tag = readVarint(bytes, pos, end);
    pos += varintSize(tag);
    const field = tag >>> 3;
    const member = field < 256 && RESPONSE_MEMBERS[field] === 1;
    if (!member && field !== 1 && field !== 200) {
      if (field === 0) throw protocolError("field number 0", start);
      pos = skipValue(bytes, pos, end, tag & 7);
      continue;
    }
    if ((tag & 7) !== WIRE_BYTES) throw protocolError(`wrong wire type on field ${field}`, start);
    const length = readLength(bytes, pos, end);
    pos += varintSize(length);
    const after = pos + length;
    if (field === 1) {
      if (peek.requestIdEnd !== 0) throw protocolError('a second "request_id"', start);
      checkText(bytes, pos, after);
      peek.requestIdAt = pos;
      peek.requestIdStart = start;
      peek.requestIdEnd = after;
    } else if (member) {
      if (peek.kind !== 0) throw protocolError(`a second response member, ${field} after ${peek.kind}`, start);
      peek.kind = field;
      peek.bodyStart = pos;
      peek.bodyEnd = after;
      const flag = successField(field);
      if (flag !== 0) peek.success = readNumber(bytes, pos, after, flag, true) === 1;
    } else {
      if (peek.errorEnd !== 0) throw protocolError('a second "error"', start);
      peek.errorStart = start;
      peek.errorEnd = after;
      peek.errorCode = readNumber(bytes, pos, after, 1, false);
    }
    pos = after;
  }
  return peek;
}

/** Field number of the member's `success`, 0 where it has none. */
function successField(kind: number): number {
  if (kind === ResponseKind.StreamEnd) return 2;
  return kind === ResponseKind.ToolCall || kind === ResponseKind.StorageWrite || kind === ResponseKind.StorageDelete
    ? 1
    : 0;
}

/** The value of one varint field of a message, 0 where it is absent; every other field is stepped over. */
function readNumber(bytes: Uint8Array, start: number, end: number, wanted: number, bool: boolean): number {
  let pos = start;
  let value = -1;
  while (pos < end) {
    const at = pos;
    const tag = readVarint(bytes, pos, end);
    pos += varintSize(tag);
    const field = tag >>> 3;
    if (field === 0) throw protocolError("field number 0", at);
    if (field !== wanted) {
      pos = skipValue(bytes, pos, end, tag & 7);
      continue;
    }
    if ((tag & 7) !== WIRE_VARINT) throw protocolError(`wrong wire type on field ${field}`, at);
    if (value !== -1) throw protocolError(`a second field ${field}`, at);
    value = bool ? Number(readBool(bytes, pos, end)) : readVarint(bytes, pos, end);
    pos += varintSize(value);
  }
  return value === -1 ? 0 : value;
}
