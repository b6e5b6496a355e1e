import { RequestKind } from "./constants.ts";
import { ErrorCode, type HubError } from "./errors.ts";
import { PluginResponse } from "./messages.ts";
import { toWireError } from "./wire-errors.ts";

/** What an error response may need beyond the error. */
export interface ErrorResponseOptions {
  /** stream_start: the stream that ends. */
  readonly streamId?: string | undefined;
  /** Chunks that were delivered before the stream failed. Default 0. */
  readonly totalChunks?: number | undefined;
  /**
   * Replaces the short code in tool_call and stream_end, for the cases that existing peers tell apart: see {@link
   * LegacyCode}.
   */
  readonly legacyCode?: string | undefined;
}

/** The short codes that deployed peers put into `error_code`. */
export const LegacyCode = {
  /** No plugin has the tool. */
  ToolNotFound: "tool_not_found",
  /** The plugin could not be reached, or left before it answered. */
  RoutingError: "routing_error",
  /** The plugin answered with another member than the question's. */
  InvalidResponse: "invalid_response",
  /** The request has no member, or one that the receiver does not answer. */
  UnknownRequest: "unknown_request",
  /** The tool itself failed. */
  HandlerError: "handler_error",
} as const;

/** `error_code` for each of our codes. Where deployed peers have no code of their own, ours in lower case. */
const LEGACY_CODES: Readonly<Record<ErrorCode, string>> = {
  [ErrorCode.InvalidArgument]: "invalid_argument",
  [ErrorCode.NotFound]: LegacyCode.ToolNotFound,
  [ErrorCode.AlreadyExists]: "already_exists",
  [ErrorCode.Unauthenticated]: "unauthenticated",
  [ErrorCode.PermissionDenied]: "permission_denied",
  [ErrorCode.DeadlineExceeded]: "deadline_exceeded",
  [ErrorCode.Cancelled]: "cancelled",
  [ErrorCode.Unavailable]: LegacyCode.RoutingError,
  [ErrorCode.ResourceExhausted]: "resource_exhausted",
  [ErrorCode.FailedPrecondition]: "failed_precondition",
  [ErrorCode.FrameTooLarge]: LegacyCode.RoutingError,
  [ErrorCode.Protocol]: LegacyCode.InvalidResponse,
  [ErrorCode.Unimplemented]: LegacyCode.UnknownRequest,
  [ErrorCode.Internal]: "internal",
  [ErrorCode.StartFailed]: LegacyCode.RoutingError,
  [ErrorCode.DataLoss]: "data_loss",
};

/** The `error_code` that stands for a code where nothing more precise is known. */
export function legacyCode(code: ErrorCode): string {
  return LEGACY_CODES[code];
}

/**
 * The bytes of a failed answer: the shape in which existing peers expect a failure of that request, and the error itself in
 * field 200 for peers that know it. Kinds without a shape of their own borrow tool_call.
 * @param kind which request is answered, see `RequestKind`; 0 for one that is not understood
 */
export function errorResponse(
  kind: number,
  requestId: string,
  error: HubError,
  options: ErrorResponseOptions = {},
): Uint8Array {
  const response = shapeOf(kind, error, options);
  return PluginResponse.encode({ requestId, response, error: toWireError(error) }).finish();
}

function shapeOf(kind: number, error: HubError, options: ErrorResponseOptions): PluginResponse["response"] {
  const { message } = error;
  switch (kind) {
    case RequestKind.Register:
      return { $case: "register", value: { accepted: false, rejectReason: message } };
    case RequestKind.Boot:
      return { $case: "boot", value: { ready: false, error: message } };
    case RequestKind.PromptGet:
      return { $case: "promptGet", value: { description: message, messages: [] } };
    case RequestKind.StorageRead:
      return { $case: "storageRead", value: { content: new Uint8Array(), metadata: undefined, version: 0 } };
    case RequestKind.StorageWrite:
      return { $case: "storageWrite", value: { success: false, newVersion: 0, error: message } };
    case RequestKind.StorageDelete:
      return { $case: "storageDelete", value: { success: false } };
    case RequestKind.StorageList:
      return { $case: "storageList", value: { entries: [] } };
    case RequestKind.StreamStart:
      return {
        $case: "streamEnd",
        value: {
          streamId: options.streamId ?? "",
          success: false,
          errorCode: options.legacyCode ?? legacyCode(error.code),
          errorMessage: message,
          totalChunks: options.totalChunks ?? 0,
        },
      };
    default:
      return {
        $case: "toolCall",
        value: {
          success: false,
          result: undefined,
          errorCode: options.legacyCode ?? defaultCode(kind, error),
          errorMessage: message,
        },
      };
  }
}

/** Only a tool can be a tool that was not found. */
function defaultCode(kind: number, error: HubError): string {
  return error.code === ErrorCode.NotFound && kind !== RequestKind.ToolCall ? "not_found" : legacyCode(error.code);
}
