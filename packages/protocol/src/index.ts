/** Frames, envelopes, errors and ids shared by hub and plugins. Pure functions: no sockets, timers or processes. @module */
export {
  DEFAULT_LISTEN_ADDRESS,
  DEFAULT_STORAGE_TYPE,
  DEFAULT_TCP_ADDRESS,
  DEFAULT_TIMEOUT_MS,
  PROTOCOL_ALPN,
  RequestKind,
  ResponseKind,
} from "./constants.ts";
export { type AllocateOptions, createSlabAllocator } from "./envelope/allocate.ts";
export type { ContextFields } from "./envelope/context.ts";
export { decodeRequest, decodeResponse, decodeStrictly } from "./envelope/decode.ts";
export { peekRequest } from "./envelope/peek-request.ts";
export { peekResponse, type ResponsePeek } from "./envelope/peek-response.ts";
export { type RequestIdRange, replaceRequestId } from "./envelope/replace-request-id.ts";
export type { RequestPeek } from "./envelope/request-peek.ts";
export { type SpliceOptions, spliceRequest } from "./envelope/splice-request.ts";
export { RequestStamp, StampedRequest, type StampOptions, TRACE_PARENT_BYTES } from "./envelope/stamp.ts";
export { ErrorCode, HubError } from "./errors.ts";
export { encodeFrame, FRAME_HEADER_BYTES, FrameReader, MAX_FRAME_BYTES, writeFrameHeader } from "./frame.ts";
export { createIdSource, type IdOptions, type IdSource, uuidv7 } from "./ids.ts";
export { checkManifest, manifestFromJson, manifestToJson } from "./manifest.ts";
export * from "./messages.ts";
export { type ErrorResponseOptions, errorResponse, LegacyCode, legacyCode } from "./responses.ts";
export { decodeAnswer } from "./struct/decode-answer.ts";
export { decodeStruct } from "./struct/decode-struct.ts";
export { encodeCall } from "./struct/encode-call.ts";
export { encodeStruct } from "./struct/encode-struct.ts";
export { type JsonObject, type JsonValue, MAX_STRUCT_DEPTH } from "./struct/json.ts";
export { type DocumentAnswer, encodeDocumentAnswer } from "./struct/stored-document.ts";
export { decodeToolCall } from "./struct/tool-call.ts";
export { encodeToolResult, type ToolResult } from "./struct/tool-result.ts";
export { formatTraceParent, parseTraceParent, type TraceParent } from "./trace.ts";
export { fromWireCode, fromWireError, toWireCode, toWireError } from "./wire-errors.ts";
