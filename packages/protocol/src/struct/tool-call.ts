import type { RequestPeek } from "../envelope/request-peek.ts";
import { readLength, readText, readVarint, skipValue, varintSize, WIRE_BYTES } from "../envelope/wire.ts";
import { ErrorCode, HubError } from "../errors.ts";
import { CallContext, type PluginRequest } from "../messages.ts";
import { decodeStruct } from "./decode-struct.ts";
import type { JsonObject } from "./json.ts";

const ARGUMENTS = 2;
const SESSION_ID = 6;

/**
 * Decodes a tool_call, with what a peek of the same bytes knows already; a few times as fast as the generated codec. For whoever
 * serves the call: unknown fields are not kept.
 * @param peek of these bytes, and of kind `RequestKind.ToolCall`
 * @throws {HubError} `PROTOCOL` for arguments or a context that do not decode
 */
export function decodeToolCall(bytes: Uint8Array, peek: RequestPeek): PluginRequest {
  let args: JsonObject | undefined;
  let sessionId = "";
  const end = peek.bodyEnd;
  let pos = peek.bodyStart;
  while (pos < end) {
    const tag = readVarint(bytes, pos, end);
    pos += varintSize(tag);
    if ((tag & 7) !== WIRE_BYTES) {
      pos = skipValue(bytes, pos, end, tag & 7);
      continue;
    }
    const length = readLength(bytes, pos, end);
    pos += varintSize(length);
    if (tag >>> 3 === ARGUMENTS) args = decodeStruct(bytes, pos, pos + length);
    else if (tag >>> 3 === SESSION_ID) sessionId = readText(bytes, pos, pos + length);
    pos += length;
  }
  const value = {
    toolName: peek.route,
    arguments: args,
    callerPlugin: peek.claimedCaller,
    traceParent: peek.legacyTraceParent,
    provider: peek.provider,
    sessionId,
  };
  return { requestId: peek.requestId, request: { $case: "toolCall", value }, context: contextOf(bytes, peek) };
}

function contextOf(bytes: Uint8Array, { contextStart, contextEnd }: RequestPeek): CallContext | undefined {
  if (contextEnd === 0) return undefined;
  const lengthAt = contextStart + varintSize(readVarint(bytes, contextStart, contextEnd));
  const start = lengthAt + varintSize(readLength(bytes, lengthAt, contextEnd));
  try {
    return CallContext.decode(bytes.subarray(start, contextEnd));
  } catch (reason) {
    throw HubError.from(reason, ErrorCode.Protocol);
  }
}
