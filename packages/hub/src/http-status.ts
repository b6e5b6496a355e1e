import { ErrorCode } from "@orchestrator/protocol";

const STATUSES: Readonly<Record<ErrorCode, number>> = {
  [ErrorCode.InvalidArgument]: 400,
  [ErrorCode.Unauthenticated]: 401,
  [ErrorCode.PermissionDenied]: 403,
  [ErrorCode.NotFound]: 404,
  [ErrorCode.AlreadyExists]: 409,
  [ErrorCode.FailedPrecondition]: 412,
  [ErrorCode.FrameTooLarge]: 413,
  [ErrorCode.Cancelled]: 499,
  [ErrorCode.Internal]: 500,
  [ErrorCode.DataLoss]: 500,
  [ErrorCode.Unimplemented]: 501,
  [ErrorCode.Unavailable]: 502,
  [ErrorCode.Protocol]: 502,
  [ErrorCode.StartFailed]: 502,
  [ErrorCode.ResourceExhausted]: 503,
  [ErrorCode.DeadlineExceeded]: 504,
};

/** What an HTTP client is told where a call did not come to an answer of the plugin's own. */
export function httpStatusOf(code: ErrorCode): number {
  return STATUSES[code];
}
