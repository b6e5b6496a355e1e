import { closeSync, lstatSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { FailureError } from "../failure.ts";

/** How long writes may go into a file that is gone before they are refused. A look takes some microseconds. */
const LOOK_EVERY_MS = 1_000;

/**
 * The path without links: two names of one database must meet at one lock.
 * @throws {FailureError} `FAILED_PRECONDITION` for what is no file
 */
export function realFile(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isFile()) return realpathSync(file);
  if (found === undefined && lstatSync(file, { throwIfNoEntry: false }) === undefined) return file;
  const what = found === undefined ? "a link to a file that is not there" : "something else than a file";
  throw new FailureError("FAILED_PRECONDITION", `Database "${file}" is ${what}; nothing was changed`);
}

/**
 * A log that does not belong to the file beside it. SQLite would throw it away where the file is empty, with the last changes of
 * the one that was there; or write it into a backup that was put in the place of that one, which destroys the backup.
 * Only for a file that this process does not have open: closing any handle of a file gives up the process's locks on it.
 * @throws {FailureError} `DATA_LOSS`
 */
export function checkLog(file: string): void {
  const log = `${file}-wal`;
  if (!(statSync(log, { throwIfNoEntry: false })?.size ?? 0)) return;
  const journal = journalOf(file);
  if (journal === "log") return;
  const what =
    journal === "none"
      ? `is missing or empty, and its log "${log}" is there. Nothing was changed. Put the database back beside it, or move the log away as well to begin with an empty database`
      : `is a copy without a log, and "${log}" is that of another one. Nothing was changed. Move the log away, and "${file}-shm"`;
  throw new FailureError("DATA_LOSS", `Database "${file}" ${what}`);
}

/**
 * A database as SQLite opens it to read nothing but the file as it stands, and to make none beside it: for one that nobody uses,
 * and that has no log.
 */
export function unchanging(file: string): URL {
  return new URL(`${pathToFileURL(file)}?immutable=1`);
}

/** How a database says that it is written (https://sqlite.org/fileformat.html, offset 18): copies are made without a log. */
function journalOf(file: string): "none" | "rollback" | "log" {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.size === 0) return "none";
  const handle = openSync(file, "r");
  try {
    const head = Buffer.alloc(20);
    readSync(handle, head, 0, head.length, 0);
    return head[18] === 1 ? "rollback" : "log";
  } finally {
    closeSync(handle);
  }
}

/** Sees whether files still have the names under which they were opened: what goes into a removed one is lost with the process. */
export class OpenFiles {
  readonly #database: string;
  /** By path. */
  readonly #identities: ReadonlyMap<string, string | undefined>;
  #lookedMs = performance.now();

  /** @param database without links, and open */
  constructor(database: string) {
    this.#database = database;
    const paths = [database, `${database}-wal`, `${database}.lock`];
    this.#identities = new Map(paths.map((path) => [path, identity(path)]));
  }

  /** @throws {FailureError} `FAILED_PRECONDITION` where one was removed, moved or replaced */
  check(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lookedMs < LOOK_EVERY_MS) return;
    for (const [path, known] of this.#identities) {
      if (known === undefined || identity(path) === known) continue;
      const what = `"${path}" was removed, moved or replaced while database "${this.#database}" was in use`;
      throw new FailureError(
        "FAILED_PRECONDITION",
        `${what}. Nothing was written. Put it back, or start the hub again`,
      );
    }
    this.#lookedMs = nowMs;
  }
}

function identity(path: string): string | undefined {
  const { dev, ino } = statSync(path, { bigint: true, throwIfNoEntry: false }) ?? {};
  return ino === undefined ? undefined : `${dev} ${ino}`;
}
