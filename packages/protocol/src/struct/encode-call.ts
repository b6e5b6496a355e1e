import { type AllocateOptions, allocate } from "../envelope/allocate.ts";
import { contextFieldSize, contextSize, writeContextField } from "../envelope/context.ts";
import { varintSize } from "../envelope/wire.ts";
import { copyBytes, textFieldSize, textSize, writeTextField, writeVarint } from "../envelope/write.ts";
import { type CallContext, PluginRequest, type StorageReadRequest, type ToolRequest } from "../messages.ts";
import { writeStruct } from "./encode-struct.ts";
import { withWriter } from "./spare-writer.ts";
import type { StructWriter } from "./struct-writer.ts";

const REQUEST_ID_TAG = 10;
/** PluginRequest.tool_call and its fields. */
const TOOL_CALL_TAG = 162;
const TOOL_NAME_TAG = 10;
const ARGUMENTS_TAG = 18;
const CALLER_TAG = 26;
const TRACE_PARENT_TAG = 34;
const PROVIDER_TAG = 42;
const SESSION_ID_TAG = 50;
/** PluginRequest.storage_read and its fields. */
const STORAGE_READ_TAG = 242;
const PATH_TAG = 10;
const STORAGE_TYPE_TAG = 18;

/**
 * A PluginRequest as bytes, those that the generated codec writes: tool calls and reads, which are asked again and again, by hand,
 * everything else by that codec.
 * @throws {HubError} as `encodeStruct`, or whatever the generated codec throws for values that cannot be written
 */
export function encodeCall(request: PluginRequest, options: AllocateOptions = {}): Uint8Array {
  const { requestId, context } = request;
  if (request.request?.$case === "toolCall") return encodeToolCall(requestId, request.request.value, context, options);
  if (request.request?.$case === "storageRead") {
    return encodeStorageRead(requestId, request.request.value, context, options);
  }
  return PluginRequest.encode(request).finish();
}

function encodeToolCall(
  requestId: string,
  call: ToolRequest,
  context: CallContext | undefined,
  options: AllocateOptions,
): Uint8Array {
  return withWriter((writer) => {
    if (call.arguments !== undefined) writeStruct(writer, call.arguments);
    const texts = [call.toolName, call.callerPlugin, call.traceParent, call.provider, call.sessionId];
    const sizes = texts.map(textSize);
    let bodySize = call.arguments === undefined ? 0 : 1 + varintSize(writer.at) + writer.at;
    for (const size of sizes) bodySize += textFieldSize(TOOL_NAME_TAG, size);
    return envelope(requestId, TOOL_CALL_TAG, bodySize, context, options, (bytes, start) => {
      let at = writeTextField(bytes, start, TOOL_NAME_TAG, call.toolName, sizes[0]!);
      if (call.arguments !== undefined) at = writeArguments(bytes, at, writer);
      at = writeTextField(bytes, at, CALLER_TAG, call.callerPlugin, sizes[1]!);
      at = writeTextField(bytes, at, TRACE_PARENT_TAG, call.traceParent, sizes[2]!);
      at = writeTextField(bytes, at, PROVIDER_TAG, call.provider, sizes[3]!);
      return writeTextField(bytes, at, SESSION_ID_TAG, call.sessionId, sizes[4]!);
    });
  });
}

function writeArguments(bytes: Uint8Array, start: number, { bytes: struct, at: size }: StructWriter): number {
  bytes[start] = ARGUMENTS_TAG;
  return copyBytes(bytes, writeVarint(bytes, start + 1, size), struct, 0, size);
}

function encodeStorageRead(
  requestId: string,
  { path, storageType }: StorageReadRequest,
  context: CallContext | undefined,
  options: AllocateOptions,
): Uint8Array {
  const pathSize = textSize(path);
  const typeSize = textSize(storageType);
  const bodySize = textFieldSize(PATH_TAG, pathSize) + textFieldSize(STORAGE_TYPE_TAG, typeSize);
  return envelope(requestId, STORAGE_READ_TAG, bodySize, context, options, (bytes, start) => {
    const at = writeTextField(bytes, start, PATH_TAG, path, pathSize);
    return writeTextField(bytes, at, STORAGE_TYPE_TAG, storageType, typeSize);
  });
}

/** Request id, member, context, in this order. @param writeBody writes the `bodySize` bytes of the member; @returns the position after */
function envelope(
  requestId: string,
  memberTag: number,
  bodySize: number,
  context: CallContext | undefined,
  options: AllocateOptions,
  writeBody: (bytes: Uint8Array, start: number) => number,
): Uint8Array {
  const idSize = textSize(requestId);
  const callerSize = context === undefined ? 0 : textSize(context.caller);
  const traceSize = context === undefined ? 0 : textSize(context.traceParent);
  const inner = context === undefined ? 0 : contextSize(context, callerSize, traceSize);
  let size = textFieldSize(REQUEST_ID_TAG, idSize) + varintSize(memberTag) + varintSize(bodySize) + bodySize;
  if (context !== undefined) size += contextFieldSize(inner);
  const bytes = allocate(size, options);
  let at = writeTextField(bytes, 0, REQUEST_ID_TAG, requestId, idSize);
  at = writeBody(bytes, writeVarint(bytes, writeVarint(bytes, at, memberTag), bodySize));
  if (context !== undefined) writeContextField(bytes, at, context, inner, context.caller, callerSize, traceSize);
  return bytes;
}
