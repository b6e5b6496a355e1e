import { type AllocateOptions, allocate } from "../envelope/allocate.ts";
import { varintSize } from "../envelope/wire.ts";
import { copyBytes, textFieldSize, textSize, writeTextField, writeVarint } from "../envelope/write.ts";
import { writeStruct } from "./encode-struct.ts";
import { withWriter } from "./spare-writer.ts";

const REQUEST_ID_TAG = 10;
/** PluginResponse.tool_call. */
const TOOL_CALL_TAG = 162;
/** ToolResponse.success and ToolResponse.result. */
const SUCCESS_TAG = 8;
const RESULT_TAG = 18;

/** What a tool gave, for the request of that id. */
export interface ToolResult {
  readonly requestId: string;
  readonly result: object;
}

/**
 * The PluginResponse of a tool_call that went well: the bytes that the generated codec writes. Failures are `errorResponse`'s.
 * @throws {HubError} as `encodeStruct`
 */
export function encodeToolResult({ requestId, result }: ToolResult, options: AllocateOptions = {}): Uint8Array {
  return withWriter((writer) => {
    writeStruct(writer, result);
    const resultSize = writer.at;
    const bodySize = 2 + 1 + varintSize(resultSize) + resultSize;
    const idSize = textSize(requestId);
    const size = textFieldSize(REQUEST_ID_TAG, idSize) + 2 + varintSize(bodySize) + bodySize;
    const bytes = allocate(size, options);
    let at = writeTextField(bytes, 0, REQUEST_ID_TAG, requestId, idSize);
    at = writeVarint(bytes, writeVarint(bytes, at, TOOL_CALL_TAG), bodySize);
    bytes[at] = SUCCESS_TAG;
    bytes[at + 1] = 1;
    bytes[at + 2] = RESULT_TAG;
    copyBytes(bytes, writeVarint(bytes, at + 3, resultSize), writer.bytes, 0, resultSize);
    return bytes;
  });
}
