import { lstatSync, realpathSync, statSync } from "node:fs";
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
 * A log without its database: SQLite would begin an empty one and throw the log away, with all that is in it.
 * @throws {FailureError} `DATA_LOSS`
 */
export function checkLog(file: string): void {
  const size = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const log = `${file}-wal`;
  if (size(file) > 0 || size(log) === 0) return;
  throw new FailureError(
    "DATA_LOSS",
    `Database "${file}" is missing or empty, and its log "${log}" is there. Nothing was changed. Put the database back beside it, or move the log away as well to begin with an empty database`,
  );
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
