import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { fileFailure, systemCode } from "./failures.ts";
import { inspect, removeIfThere } from "./files.ts";
import { OWN_PREFIX } from "./paths.ts";

const LOCK_NAME = `${OWN_PREFIX}lock.version`;
/** A holder needs far less than a millisecond; one that is stopped in the middle can keep everybody out, but not for ever. */
const GIVE_UP_MS = 10_000;
/**
 * What one look at the lock counts for at most. Looks are 10 ms apart: where much more lies between two of them this process stood
 * still, or the whole machine, and nobody has kept anybody out.
 */
const LOOK_MS = 100;
const SQLITE_BUSY = 5;

/**
 * One writer at a time on a workspace, over all processes that run this store.
 *
 * The lock is the write lock of an SQLite database that never gets a byte. That makes it a lock of the kernel (`fcntl`,
 * `LockFileEx`): it ends with its holder, however that dies, it cannot go stale, and it holds between containers that share
 * the directory. Node has no other way to such a lock without native code.
 */
export class WorkspaceLock {
  readonly #path: string;
  #database: { readonly connection: DatabaseSync; readonly inode: number } | undefined;

  /** @param root a directory that exists by the time of the first `run` */
  constructor(root: string) {
    this.#path = join(root, LOCK_NAME);
  }

  /**
   * Runs `critical` with the lock in hand. It is synchronous on purpose: nothing else of this process can come in between,
   * and the lock is never held while waiting for anything.
   * @throws {HubError} `UNAVAILABLE` when another process holds the lock for too long; `signal.reason` on abort
   */
  async run<T>(critical: () => T, signal?: AbortSignal): Promise<T> {
    let patienceMs = GIVE_UP_MS;
    let lookedAtMs = performance.now();
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted();
      const connection = this.#tryAcquire();
      if (connection !== undefined) {
        try {
          return critical();
        } finally {
          connection.exec("ROLLBACK");
        }
      }
      const nowMs = performance.now();
      patienceMs -= Math.min(nowMs - lookedAtMs, LOOK_MS);
      lookedAtMs = nowMs;
      if (patienceMs < 0) {
        throw new HubError(ErrorCode.Unavailable, "Another process has kept the workspace locked for 10 seconds");
      }
      if (attempt < 4) await nextTurn();
      else await delay(Math.random() * Math.min(attempt, 10), undefined, signal ? { signal } : {});
    }
  }

  close(): void {
    this.#database?.connection.close();
    this.#database = undefined;
  }

  #tryAcquire(): DatabaseSync | undefined {
    const connection = this.#open();
    try {
      connection.exec("BEGIN IMMEDIATE");
    } catch (error) {
      if (isBusy(error)) return undefined;
      const deleted = !this.#isCurrent();
      this.close();
      if (deleted) return undefined;
      throw fileFailure("Cannot lock", LOCK_NAME, error);
    }
    // Somebody may have deleted the file: a lock on what is no longer there keeps nobody out.
    if (this.#isCurrent()) return connection;
    this.close();
    return undefined;
  }

  #isCurrent(): boolean {
    return inspect(this.#path)?.ino === this.#database?.inode;
  }

  #open(): DatabaseSync {
    if (this.#database !== undefined) return this.#database.connection;
    const inode = this.#ensureFile();
    // Nobody writes to this database, so these can only have been planted: SQLite would act on what is in them.
    for (const suffix of ["-journal", "-wal", "-shm"]) removeIfThere(`${this.#path}${suffix}`);
    const connection = new DatabaseSync(this.#path, { timeout: 0 });
    // A transaction in an empty database makes its first page. In memory that costs nothing, and leaves nothing behind.
    connection.exec("PRAGMA journal_mode = MEMORY");
    this.#database = { connection, inode };
    return connection;
  }

  #ensureFile(): number {
    try {
      // Only where it is missing: opening and closing a file gives up this process's own locks on it.
      if (inspect(this.#path) === undefined) closeSync(openSync(this.#path, NEW_FILE, 0o644));
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw fileFailure("Cannot make", LOCK_NAME, error);
    }
    const stats = inspect(this.#path);
    if (stats?.isFile() && stats.size === 0) return stats.ino;
    throw new HubError(
      ErrorCode.FailedPrecondition,
      `"${LOCK_NAME}" is not the empty file that it should be: delete it`,
    );
  }
}

const NEW_FILE = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR;

function isBusy(error: unknown): boolean {
  const { errcode, message } = error as { errcode?: number; message?: string };
  return (errcode !== undefined && (errcode & 0xff) === SQLITE_BUSY) || /database is locked/.test(message ?? "");
}
