import { closeSync, existsSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { FailureError, sqliteCode } from "../failure.ts";

const BUSY = 5;

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
    const path = `${file}.lock`;
    makePrivate(path);
    const db = new DatabaseSync(path);
    try {
      db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; PRAGMA user_version = 1");
      db.exec("BEGIN EXCLUSIVE; COMMIT");
      return new OwnerLock(db);
    } catch (error) {
      db.close();
      if (sqliteCode(error) !== BUSY) throw error;
      const holder = holderOf(file);
      const what = `Database "${file}" is in use by ${holder === undefined ? "another process" : `process ${holder}`}`;
      throw new FailureError("ALREADY_EXISTS", `${what}. Two hubs cannot share one; stop the other one first`);
    }
  }

  /** Whether a hub has the database, at this moment. */
  static isTaken(file: string): boolean {
    const path = `${file}.lock`;
    if (!existsSync(path)) return false;
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      db.prepare("SELECT count(*) FROM sqlite_schema").get();
      return false;
    } catch (error) {
      if (sqliteCode(error) === BUSY) return true;
      throw error;
    } finally {
      db.close();
    }
  }

  release(): void {
    this.#db.close();
  }
}

/** Makes a file that only its owner may read, where there is none. SQLite gives the files beside it the same rights. */
export function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** The holder wrote its process id into the database, which may be read beside it. */
export function holderOf(file: string): number | undefined {
  try {
    const db = new DatabaseSync(file, { readOnly: true });
    try {
      const row = db.prepare("SELECT value FROM settings WHERE key = 'owner_pid'").get();
      if (typeof row?.["value"] === "string") return Number(row["value"]);
    } finally {
      db.close();
    }
  } catch {
    // It may just be making the file.
  }
  return undefined;
}
