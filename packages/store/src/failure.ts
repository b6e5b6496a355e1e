import type { ErrorCode } from "@orchestrator/protocol";

/**
 * What went wrong in the writer's thread. A plain object, since classes do not survive the way between threads; and the codes are
 * written out here, so that the thread need not load the whole protocol to start.
 */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Thrown in the writer's thread where a Failure has to travel up. */
export class FailureError extends Error {
  readonly failure: Failure;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = { code, message };
  }
}

/** Primary result codes of SQLite, https://sqlite.org/rescode.html. */
const SQLITE = {
  Perm: 3,
  Busy: 5,
  Locked: 6,
  ReadOnly: 8,
  IoErr: 10,
  Corrupt: 11,
  Full: 13,
  CantOpen: 14,
  TooBig: 18,
  NotADb: 26,
} as const;
/** Errors of the operating system, from calls that are not SQLite's, as what SQLite makes of them. */
const SYSTEM: Readonly<Record<string, number>> = {
  EACCES: SQLITE.CantOpen,
  EPERM: SQLITE.CantOpen,
  EROFS: SQLITE.CantOpen,
  EISDIR: SQLITE.CantOpen,
  ELOOP: SQLITE.CantOpen,
  ENOSPC: SQLITE.Full,
  EDQUOT: SQLITE.Full,
};
/** Extended codes of I/O errors where the memory that processes share could not be made larger. */
const NO_ROOM: ReadonlySet<number> = new Set([4874]);
/** Extended codes of I/O errors that say that what was read is not what was written. */
const DAMAGED: ReadonlySet<number> = new Set([522, 8202, 8458]);

const RESTORE =
  'Nothing was changed. Stop the hub and go back to a backup (orchestrator restore); or move the file away, with those beside it whose names end in -wal and -shm (the log of one database destroys another), then save what can be read with "sqlite3 FILE .recover", or begin with an empty one';

/** The primary result code, 0 for an error that is not SQLite's. */
export function sqliteCode(error: unknown): number {
  return extendedCode(error) & 0xff;
}

/** Says in our words what SQLite reported about a file. */
export function describeFailure(error: unknown, file: string): Failure {
  if (error instanceof FailureError) return error.failure;
  const text = error instanceof Error ? error.message : String(error);
  const extended = extendedCode(error);
  const failed = (code: ErrorCode, message: string): Failure => ({ code, message });
  const primary = NO_ROOM.has(extended) ? SQLITE.Full : extended & 0xff;
  switch (primary || SYSTEM[(error as { readonly code?: string } | undefined)?.code ?? ""]) {
    case SQLITE.Busy:
    case SQLITE.Locked:
      return failed("UNAVAILABLE", `Database "${file}" is locked by another process (${text}). Nothing was changed`);
    case SQLITE.Full:
      return failed(
        "RESOURCE_EXHAUSTED",
        `There is no room left for database "${file}" (${text}). Nothing was changed; it works again as soon as there is`,
      );
    case SQLITE.Corrupt:
    case SQLITE.NotADb:
      return failed("DATA_LOSS", `Database "${file}" is damaged (${text}). ${RESTORE}`);
    case SQLITE.Perm:
    case SQLITE.ReadOnly:
    case SQLITE.CantOpen:
      return failed(
        "FAILED_PRECONDITION",
        `Database "${file}" cannot be written (${text}). The hub's user needs the right to write the file and its directory`,
      );
    case SQLITE.IoErr:
      if (DAMAGED.has(extended)) return failed("DATA_LOSS", `Database "${file}" cannot be read (${text}). ${RESTORE}`);
      return failed(
        "UNAVAILABLE",
        `Database "${file}" cannot be read or written (${text}, code ${extended}). Look after the disk`,
      );
    case SQLITE.TooBig:
      return failed("INVALID_ARGUMENT", `Too long for database "${file}" (${text})`);
    default:
      return failed("INTERNAL", `Database "${file}": ${text}`);
  }
}

export function isFull(error: unknown): boolean {
  return sqliteCode(error) === SQLITE.Full;
}

/** Nothing in the transaction was to blame: each of its parts may be tried by itself. */
export function isRoomError(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === SQLITE.Full || code === SQLITE.TooBig;
}

/** SQLite's own words for its codes, which never change. Deno gives some of its errors no more than these. */
const WORDS: readonly (readonly [words: string, code: number])[] = [
  ["is locked", SQLITE.Busy],
  ["disk is full", SQLITE.Full],
  ["image is malformed", SQLITE.Corrupt],
  ["not a database", SQLITE.NotADb],
  ["readonly database", SQLITE.ReadOnly],
  ["unable to open database", SQLITE.CantOpen],
  ["disk I/O error", SQLITE.IoErr],
];

function extendedCode(error: unknown): number {
  const { errcode, message } = (error ?? {}) as { readonly errcode?: unknown; readonly message?: unknown };
  if (typeof errcode === "number") return errcode;
  const text = typeof message === "string" ? message : "";
  return WORDS.find(([words]) => text.includes(words))?.[1] ?? 0;
}
