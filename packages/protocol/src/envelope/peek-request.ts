import { Peek, type RequestPeek } from "./request-peek.ts";
import { REPEATED, REQUEST_SHAPES, ROLE_SHIFT, Role, type Shape } from "./shapes.ts";
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

/**
 * Scans the bytes of a PluginRequest once. Payload bytes (arguments, content) are stepped over, so the cost depends on the number
 * of fields and not on their size. Unknown fields are accepted and left alone.
 *
 * Strict, so that nobody can be authorised for one name and decoded as another: decoders disagree about everything that is
 * refused here, such as which of two copies of a field counts.
 * @throws {HubError} `PROTOCOL` for a second copy of a known singular field, a second member, a known field with the wrong wire
 * type, field number 0, groups, lengths that reach too far, varints that are cut off, too long or not in their shortest form,
 * and names that are not UTF-8
 */
export function peekRequest(bytes: Uint8Array): RequestPeek {
  const peek = new Peek(bytes);
  const end = bytes.length;
  let pos = 0;
  while (pos < end) {
    const start = pos;
    const tag = readVarint(bytes, pos, end);
    pos += varintSize(tag);
    const field = tag >>> 3;
    const shape = field < 256 ? REQUEST_SHAPES[field] : undefined;
    if (shape === undefined && field !== 1 && field !== 200) {
      if (field === 0) throw protocolError("field number 0", start);
      pos = skipValue(bytes, pos, end, tag & 7);
      continue;
    }
    if ((tag & 7) !== WIRE_BYTES) throw wrongWireType(field, start);
    const length = readLength(bytes, pos, end);
    pos += varintSize(length);
    const after = pos + length;
    if (field === 1) {
      if (peek.requestIdEnd !== 0) throw repeatedField("request_id", start);
      checkText(bytes, pos, after);
      peek.requestIdAt = pos;
      peek.requestIdStart = start;
      peek.requestIdEnd = after;
    } else if (shape !== undefined) {
      if (peek.kind !== 0) throw protocolError(`a second request member, ${field} after ${peek.kind}`, start);
      peek.kind = field;
      peek.memberStart = start;
      peek.bodyStart = pos;
      peek.bodyEnd = after;
      scanBody(peek, bytes, shape);
    } else {
      if (peek.contextEnd !== 0) throw repeatedField("context", start);
      peek.contextStart = start;
      peek.contextEnd = after;
      scanContext(peek, bytes, pos, after);
    }
    pos = after;
  }
  return peek;
}

function scanBody(peek: Peek, bytes: Uint8Array, shape: Shape): void {
  const end = peek.bodyEnd;
  let pos = peek.bodyStart;
  // One bit per known field: numbers 1 to 6, and 200 and 201 folded to 16 and 17.
  let seen = 0;
  while (pos < end) {
    const start = pos;
    const tag = readVarint(bytes, pos, end);
    pos += varintSize(tag);
    const field = tag >>> 3;
    const code = field < 256 ? shape[field]! : 0;
    if (code === 0) {
      if (field === 0) throw protocolError("field number 0", start);
      pos = skipValue(bytes, pos, end, tag & 7);
      continue;
    }
    if ((tag & 7) !== (code & 7)) throw wrongWireType(field, start);
    if ((code & REPEATED) === 0) {
      const bit = 1 << (field < 200 ? field : field - 184);
      if ((seen & bit) !== 0) throw repeatedField(`${peek.kind}.${field}`, start);
      seen |= bit;
    }
    if ((tag & 7) !== WIRE_BYTES) {
      pos = skipValue(bytes, pos, end, tag & 7);
      continue;
    }
    const length = readLength(bytes, pos, end);
    pos += varintSize(length);
    const after = pos + length;
    const role = code >> ROLE_SHIFT;
    if (role !== Role.Plain) keep(peek, bytes, role, start, pos, after);
    pos = after;
  }
}

/** Takes over one field of the member: it starts at `start`, its value is `[pos, after)`. */
function keep(peek: Peek, bytes: Uint8Array, role: number, start: number, pos: number, after: number): void {
  switch (role) {
    case Role.Route:
      checkText(bytes, pos, after);
      peek.routeStart = pos;
      peek.routeEnd = after;
      break;
    case Role.Provider:
      peek.provider = readText(bytes, pos, after);
      break;
    case Role.StreamId:
      peek.streamId = readText(bytes, pos, after);
      break;
    case Role.Caller:
      checkText(bytes, pos, after);
      peek.callerAt = pos;
      peek.callerStart = start;
      peek.callerEnd = after;
      break;
    case Role.TraceParent:
      checkText(bytes, pos, after);
      peek.traceAt = pos;
      peek.traceStart = start;
      peek.traceEnd = after;
      break;
    case Role.SubscriptionId:
      peek.subscriptionId = readText(bytes, pos, after);
      peek.subscriptionStart = start;
      peek.subscriptionEnd = after;
      break;
    case Role.Timestamp:
      peek.timestampStart = start;
      peek.timestampEnd = after;
      break;
    default:
      checkText(bytes, pos, after);
  }
}

/** CallContext: timeout_ms 1, trace_parent 2, caller 3 (ignored), accepts_calls 4, wants_progress 5. */
function scanContext(peek: Peek, bytes: Uint8Array, start: number, end: number): void {
  let pos = start;
  let seen = 0;
  while (pos < end) {
    const at = pos;
    const tag = readVarint(bytes, pos, end);
    pos += varintSize(tag);
    const field = tag >>> 3;
    if (field === 0) throw protocolError("field number 0", at);
    if (field > 5) {
      pos = skipValue(bytes, pos, end, tag & 7);
      continue;
    }
    if ((tag & 7) !== (field === 2 || field === 3 ? WIRE_BYTES : WIRE_VARINT)) throw wrongWireType(field, at);
    if ((seen & (1 << field)) !== 0) throw repeatedField(`context.${field}`, at);
    seen |= 1 << field;
    if (field === 1) {
      peek.timeoutMs = readVarint(bytes, pos, end);
      pos += varintSize(peek.timeoutMs);
    } else if (field > 3) {
      const value = readBool(bytes, pos++, end);
      if (field === 4) peek.acceptsCalls = value;
      else peek.wantsProgress = value;
    } else {
      const length = readLength(bytes, pos, end);
      pos += varintSize(length);
      checkText(bytes, pos, pos + length);
      if (field === 2) {
        peek.traceParentAt = pos;
        peek.traceParentEnd = pos + length;
      }
      pos += length;
    }
  }
}

function repeatedField(name: string, position: number): Error {
  return protocolError(`a second "${name}"`, position);
}

function wrongWireType(field: number, position: number): Error {
  return protocolError(`wrong wire type on field ${field}`, position);
}
