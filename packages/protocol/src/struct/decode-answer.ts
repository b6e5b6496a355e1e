import { ResponseKind } from "../constants.ts";
import { peekResponse, type ResponsePeek } from "../envelope/peek-response.ts";
import { readBool, readLength, readVarint, skipValue, varintSize } from "../envelope/wire.ts";
import { ErrorCode, HubError } from "../errors.ts";
import { PluginResponse } from "../messages.ts";
import { decodeStruct } from "./decode-struct.ts";
import type { JsonObject } from "./json.ts";
import { readLenientText } from "./read-text.ts";

/** ToolResponse. */
const SUCCESS_TAG = 8;
const RESULT_TAG = 18;
const ERROR_CODE_TAG = 26;
const ERROR_MESSAGE_TAG = 34;
/** StorageReadResponse. */
const CONTENT_TAG = 10;
const METADATA_TAG = 18;
const VERSION_TAG = 24;

/** A longer varint may be more than a 32-bit number. */
const SMALL_VARINT_BYTES = 4;

const NOTHING = new Uint8Array(0);

/**
 * Reads a PluginResponse as the generated codec does: results of tools and stored documents, which come again and again, by hand and
 * a few times as fast. Unknown fields are not kept; the bytes of a document are a view.
 * @throws {HubError} `PROTOCOL` for bytes that a peek refuses or that do not decode
 */
export function decodeAnswer(bytes: Uint8Array): PluginResponse {
  const peek = peekResponse(bytes);
  if (peek.errorEnd === 0) {
    if (peek.kind === ResponseKind.ToolCall) return toolAnswer(bytes, peek);
    if (peek.kind === ResponseKind.StorageRead) return storedDocument(bytes, peek) ?? decodeAny(bytes);
  }
  return decodeAny(bytes);
}

function decodeAny(bytes: Uint8Array): PluginResponse {
  try {
    return PluginResponse.decode(bytes);
  } catch (reason) {
    throw HubError.from(reason, ErrorCode.Protocol);
  }
}

function toolAnswer(bytes: Uint8Array, { requestId, bodyStart, bodyEnd: end }: ResponsePeek): PluginResponse {
  let success = false;
  let result: JsonObject | undefined;
  let errorCode = "";
  let errorMessage = "";
  let pos = bodyStart;
  while (pos < end) {
    const tag = readVarint(bytes, pos, end);
    pos += varintSize(tag);
    if (tag === SUCCESS_TAG) {
      success = readBool(bytes, pos++, end);
    } else if (tag === RESULT_TAG || tag === ERROR_CODE_TAG || tag === ERROR_MESSAGE_TAG) {
      const length = readLength(bytes, pos, end);
      pos += varintSize(length);
      if (tag === RESULT_TAG) result = decodeStruct(bytes, pos, pos + length);
      else if (tag === ERROR_CODE_TAG) errorCode = readLenientText(bytes, pos, pos + length);
      else errorMessage = readLenientText(bytes, pos, pos + length);
      pos += length;
    } else {
      pos = skipValue(bytes, pos, end, tag & 7);
    }
  }
  const value = { success, result, errorCode, errorMessage };
  return { requestId, response: { $case: "toolCall", value }, error: undefined };
}

/** @returns undefined for a version of more than 28 bits */
function storedDocument(
  bytes: Uint8Array,
  { requestId, bodyStart, bodyEnd: end }: ResponsePeek,
): PluginResponse | undefined {
  let content: Uint8Array = NOTHING;
  let metadata: JsonObject | undefined;
  let version = 0;
  let pos = bodyStart;
  while (pos < end) {
    const tag = readVarint(bytes, pos, end);
    pos += varintSize(tag);
    if (tag === CONTENT_TAG || tag === METADATA_TAG) {
      const length = readLength(bytes, pos, end);
      pos += varintSize(length);
      if (tag === CONTENT_TAG) content = bytes.subarray(pos, pos + length);
      else metadata = decodeStruct(bytes, pos, pos + length);
      pos += length;
    } else {
      const after = skipValue(bytes, pos, end, tag & 7);
      if (tag === VERSION_TAG) {
        if (after - pos > SMALL_VARINT_BYTES) return undefined;
        version = readVarint(bytes, pos, end);
      }
      pos = after;
    }
  }
  return { requestId, response: { $case: "storageRead", value: { content, metadata, version } }, error: undefined };
}
