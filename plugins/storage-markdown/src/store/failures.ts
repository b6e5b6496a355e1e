import { ErrorCode, HubError } from "@orchestrator/protocol";

const CODES: Readonly<Record<string, ErrorCode>> = {
  EACCES: ErrorCode.PermissionDenied,
  EPERM: ErrorCode.PermissionDenied,
  EROFS: ErrorCode.PermissionDenied,
  ENOSPC: ErrorCode.ResourceExhausted,
  EDQUOT: ErrorCode.ResourceExhausted,
  EMFILE: ErrorCode.ResourceExhausted,
  ENFILE: ErrorCode.ResourceExhausted,
  EISDIR: ErrorCode.FailedPrecondition,
  ENOTDIR: ErrorCode.FailedPrecondition,
  ENAMETOOLONG: ErrorCode.InvalidArgument,
  ENOENT: ErrorCode.NotFound,
};

const TEXTS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is used up",
  EMFILE: "too many open files",
  ENFILE: "too many open files on this machine",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is not a directory",
  ENAMETOOLONG: "the name is too long for the file system",
  ENOENT: "it vanished",
};

/** The system's code of a failed file operation (`ENOENT` …), or "". */
export function systemCode(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === "string" ? code : "";
}

/** Wraps a failed file operation: says what was tried, keeps absolute paths out of the message. */
export function fileFailure(action: string, path: string, cause: unknown): HubError {
  if (cause instanceof HubError) return cause;
  const code = systemCode(cause);
  // The messages of system errors have the absolute path in them.
  const isSystemCode = /^E[A-Z0-9]+$/.test(code);
  const reason = TEXTS[code] ?? (isSystemCode ? `system error ${code}` : String((cause as Error)?.message ?? cause));
  return new HubError(CODES[code] ?? ErrorCode.Internal, `${action} "${path}": ${reason}`, { cause });
}

export function alreadyExists(): HubError {
  return new HubError(ErrorCode.AlreadyExists, "file already exists (expected_version=0 means create new)");
}

export function versionConflict(expected: number, current: number): HubError {
  return new HubError(ErrorCode.FailedPrecondition, `version conflict: expected ${expected}, current ${current}`);
}
