import { closeSync, existsSync, openSync, truncateSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { FailureError, sqliteCode } from "../failure.ts";
import { realFile } from "./database-file.ts";

const BUSY = 5;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

/**
 * Holds a database for one hub. The lock is one of the operating system's on a file beside the database, so it ends with the
 * process however that ends, and no leftover can be mistaken for a lock. It is taken through SQLite because Node has no call
 * for it, and because SQLite keeps two hubs in one process apart as well.
 */
export class OwnerLock {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** @throws {FailureError} `ALREADY_EXISTS` where another hub has the database */
  static take(file: string): OwnerLock {
    const path = `${realFile(file)}.lock`;
    makePrivate(path);
    try {
      return new OwnerLock(hold(path));
    } catch (error) {
      if (sqliteCode(error) === BUSY) throw inUse(file);
      if (!isNoLock(error)) throw error;
    }
    // Whatever was written into it: nobody holds it, and nothing that is in it matters.
    truncateSync(path);
    try {
      return new OwnerLock(hold(path));
    } catch (error) {
      throw sqliteCode(error) === BUSY ? inUse(file) : error;
    }
  }

  /** Whether a hub has the database, at this moment. */
  static isTaken(file: string): boolean {
    const path = `${realFile(file)}.lock`;
    if (!existsSync(path)) return false;
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      db.prepare("SELECT count(*) FROM sqlite_schema").get();
      return false;
    } catch (error) {
      if (sqliteCode(error) === BUSY) return true;
      if (isNoLock(error)) return false;
      throw error;
    } finally {
      db.close();
    }
  }

  release(): void {
    this.#db.close();
  }
}

/** A transaction that never ends holds the lock; nothing is ever written, so that nothing can be half written. */
function hold(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  try {
    db.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function isNoLock(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === CORRUPT || code === NOT_A_DATABASE;
}

function inUse(file: string): FailureError {
  const holder = holderOf(file);
  const what = `Database "${file}" is in use by ${holder === undefined ? "another process" : `process ${holder}`}`;
  return new FailureError("ALREADY_EXISTS", `${what}. Two hubs cannot share one; stop the other one first`);
}

/** Makes a file that only its owner may read, where there is none. SQLite gives the files beside it the same rights. */
export function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** One that was killed has left its id there, and whoever holds the lock now need not be a hub. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The holder wrote its process id into the database, which may be read beside it. */
export function holderOf(file: string): number | undefined {
  try {
    const db = new DatabaseSync(file, { readOnly: true });
    try {
      const row = db.prepare("SELECT value FROM settings WHERE key = 'owner_pid'").get();
      if (typeof row?.["value"] === "string" && isAlive(Number(row["value"]))) return Number(row["value"]);
    } finally {
      db.close();
    }
  } catch {
    // It may just be making the file.
  }
  return undefined;
}
