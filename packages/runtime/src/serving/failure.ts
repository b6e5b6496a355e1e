import { ErrorCode, HubError, LegacyCode } from "@orchestrator/protocol";
import { ToolError } from "../definition.ts";

/** Our code for the codes that tools choose most often; any other is a state that does not allow the call. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  validation_error: ErrorCode.InvalidArgument,
  invalid_argument: ErrorCode.InvalidArgument,
  not_found: ErrorCode.NotFound,
  already_exists: ErrorCode.AlreadyExists,
  permission_denied: ErrorCode.PermissionDenied,
  unavailable: ErrorCode.Unavailable,
  timeout: ErrorCode.DeadlineExceeded,
  rate_limited: ErrorCode.ResourceExhausted,
  not_implemented: ErrorCode.Unimplemented,
  [LegacyCode.HandlerError]: ErrorCode.Internal,
};

/** What a handler threw, in both languages: ours, and the short code that existing peers read. */
export interface HandlerFailure {
  readonly error: HubError;
  readonly legacyCode: string;
  /** True where nobody meant this to happen, so that its stack belongs in the log. */
  readonly isUnexpected: boolean;
}

/** Sorts what a handler threw. Peers see the message and never the stack. */
export function handlerFailure(thrown: unknown): HandlerFailure {
  if (thrown instanceof ToolError) {
    const error = new HubError(CODES[thrown.code] ?? ErrorCode.FailedPrecondition, thrown.message, { cause: thrown });
    return { error, legacyCode: thrown.code, isUnexpected: false };
  }
  const error = HubError.from(thrown);
  return { error, legacyCode: LegacyCode.HandlerError, isUnexpected: !(thrown instanceof HubError) };
}
