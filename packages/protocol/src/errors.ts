/**
 * The closed set of failures; mirrors `orchestra.hub.v1.ErrorCode` (a test holds the two together).
 * Programs branch on the code, people read the message.
 */
export const ErrorCode = {
  /** The request is malformed, or an argument does not fit its schema. Never retry. */
  InvalidArgument: "INVALID_ARGUMENT",
  /** No plugin provides the capability, or the thing asked for does not exist. */
  NotFound: "NOT_FOUND",
  /** It exists already, or two plugins claim one name. */
  AlreadyExists: "ALREADY_EXISTS",
  /** The peer could not be identified. */
  Unauthenticated: "UNAUTHENTICATED",
  /** The peer is known and a rule says no; the message names the rule. */
  PermissionDenied: "PERMISSION_DENIED",
  /** The deadline passed before an answer came; the call may or may not have run. */
  DeadlineExceeded: "DEADLINE_EXCEEDED",
  /** The caller cancelled. */
  Cancelled: "CANCELLED",
  /** The plugin is not there: not started, crashed or stopping; the call may or may not have run. */
  Unavailable: "UNAVAILABLE",
  /** A queue, quota or limit is full. Nothing ran; retry later. */
  ResourceExhausted: "RESOURCE_EXHAUSTED",
  /** The state of the thing does not allow the request now: a stale version, a missing step. */
  FailedPrecondition: "FAILED_PRECONDITION",
  /** A frame is longer than the receiver allows. Never retry. */
  FrameTooLarge: "FRAME_TOO_LARGE",
  /** The peer broke the protocol: bytes that do not decode, an answer of the wrong kind. */
  Protocol: "PROTOCOL",
  /** The operation is not implemented by this peer. */
  Unimplemented: "UNIMPLEMENTED",
  /** A bug or an unexpected condition on the answering side. */
  Internal: "INTERNAL",
  /** A plugin did not reach READY, or left before it did. */
  StartFailed: "START_FAILED",
  /** Stored bytes are damaged. Nothing was changed. */
  DataLoss: "DATA_LOSS",
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

const RETRYABLE: ReadonlySet<ErrorCode> = new Set([ErrorCode.Unavailable, ErrorCode.ResourceExhausted]);

/** The one error class. `message` names what failed, then the values, and where it helps what to try next. */
export class HubError extends Error {
  override readonly name = "HubError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** The same request may succeed when it is sent again later. */
  get retryable(): boolean {
    return RETRYABLE.has(this.code);
  }

  /** Wraps whatever was thrown, once: a HubError comes back as it is. */
  static from(reason: unknown, code: ErrorCode = ErrorCode.Internal): HubError {
    if (reason instanceof HubError) return reason;
    return new HubError(code, reason instanceof Error ? reason.message : String(reason), { cause: reason });
  }
}
