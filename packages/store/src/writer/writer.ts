import { DatabaseSync, type StatementSync } from "node:sqlite";
import { describeFailure, type Failure, FailureError, isFull, isRoomError } from "../failure.ts";
import { checkSchema, migrate } from "../schema/migrate.ts";
import { checkLog, OpenFiles, realFile } from "./database-file.ts";
import { EventWriter } from "./event-writer.ts";
import { Importer } from "./importer.ts";
import { KvStatus, KvUnpacker, makeResults, type PackedKv, writeResult } from "./kv-batch.ts";
import { KvWriter } from "./kv-writer.ts";
import type {
  BatchResult,
  Expired,
  ImportCounts,
  ImportRequest,
  NewEvent,
  SweepResult,
  WriterOptions,
} from "./messages.ts";
import { Namespaces } from "./namespaces.ts";
import { makePrivate, OwnerLock } from "./owner-lock.ts";

/** After the log could not be emptied on a full disk. */
const HOPELESS_MS = 1_000;

/** The one connection that writes. Every method is one transaction, on disk when it returns. */
export class Writer {
  readonly #file: string;
  readonly #lock: OwnerLock;
  readonly #db: DatabaseSync;
  readonly #files: OpenFiles;
  readonly #namespaces: Namespaces;
  readonly #kv: KvWriter;
  readonly #events: EventWriter;
  readonly #importer: Importer;
  readonly #dataVersion: StatementSync;
  /** Changes when another connection has written. */
  #seenVersion: unknown;
  /** Of the last transaction. */
  #commitMs = 0;
  #hopelessUntilMs = 0;

  /** @throws whatever SQLite says, for `describeFailure` */
  constructor(options: WriterOptions) {
    this.#file = options.file;
    this.#lock = OwnerLock.take(options.file);
    let db: DatabaseSync | undefined;
    try {
      checkLog(realFile(options.file));
      makePrivate(options.file);
      db = new DatabaseSync(options.file, { timeout: options.busyTimeoutMs });
      this.#db = db;
      // What is no database, or not ours, fails here, before anything is written.
      checkSchema(db, options.file);
      this.#configure(options);
      migrate(db);
      this.#sign();
      this.#files = new OpenFiles(realFile(options.file));
      this.#namespaces = new Namespaces(db, (name) =>
        Object.hasOwn(options.quotas, name) ? options.quotas[name]! : options.quota,
      );
      this.#kv = new KvWriter(db, this.#namespaces);
      this.#events = new EventWriter(db);
      this.#importer = new Importer(db, this.#namespaces, this.#kv, this.#events);
      this.#dataVersion = db.prepare("PRAGMA data_version");
      this.#seenVersion = this.#dataVersion.get()?.["data_version"];
    } catch (error) {
      db?.close();
      this.#lock.release();
      throw error;
    }
  }

  get nextExpiryMs(): number {
    return this.#kv.nextExpiryMs();
  }

  /**
   * Operations and events in one transaction. Where there is no room for all of them, each is tried by itself, so that a large
   * value does not take its neighbours with it.
   */
  batch(kv: PackedKv | undefined, events: readonly NewEvent[]): BatchResult {
    const count = kv?.count ?? 0;
    try {
      return { ...this.#transaction(() => this.#apply(kv, events)), commitMs: this.#commitMs };
    } catch (error) {
      if (isRoomError(error) && count + events.length > 1) return this.#oneByOne(kv, events);
      const failure = describeFailure(error, this.#file);
      const failures = new Map(Array.from({ length: count }, (_, index) => [index, failure] as const));
      const numbers = makeResults(count);
      for (let index = 0; index < count; index++) writeResult(numbers, index, FAILED);
      return { kv: kv && { numbers, failures }, events: events.map(() => failure), expired: [], commitMs: 0 };
    }
  }

  sweep(nowMs: number): SweepResult {
    const expired = this.#transaction(() => this.#kv.sweep(nowMs));
    return { expired, nextMs: this.#kv.nextExpiryMs() };
  }

  /** @returns how many events were removed */
  prune(beforeMs: number, maxRows: number): number {
    return this.#transaction(() => this.#events.prune(beforeMs, maxRows));
  }

  import(request: ImportRequest): ImportCounts {
    return this.#transaction(() => this.#importer.run(request));
  }

  close(): void {
    try {
      this.#db.exec("DELETE FROM settings WHERE key = 'owner_pid'; PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // A full disk is no reason not to close. What is in the log beside the file is read at the next start.
    }
    this.#db.close();
    this.#lock.release();
  }

  #configure({ maxFileBytes }: WriterOptions): void {
    const db = this.#db;
    const { journal_mode: mode } = db.prepare("PRAGMA journal_mode = WAL").get() ?? {};
    if (mode !== "wal") {
      const what = `Database "${this.#file}" is in a place without shared memory, such as a network file system`;
      throw new FailureError("FAILED_PRECONDITION", `${what}. Let the hub keep it on a local disk`);
    }
    // With a write-ahead log, FULL is what puts a commit on disk before it is reported; NORMAL could lose the last ones when
    // the machine goes down. On macOS it takes a call of its own to get data out of the disk's cache; elsewhere that is nothing.
    db.exec("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON");
    db.exec("PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY");
    db.exec(`PRAGMA cache_size = -16384; PRAGMA journal_size_limit = ${16 * 1024 * 1024}`);
    if (maxFileBytes > 0) {
      const { page_size: pageSize } = db.prepare("PRAGMA page_size").get() as { page_size: number };
      db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxFileBytes / pageSize))}`);
    }
  }

  /** Who holds the file, for whoever finds it locked. */
  #sign(): void {
    const sql =
      "INSERT INTO settings (key, value) VALUES ('owner_pid', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    this.#db.prepare(sql).run(String(process.pid));
  }

  #apply(kv: PackedKv | undefined, events: readonly NewEvent[]): Omit<BatchResult, "commitMs"> {
    const expired: Expired[] = [];
    const numbers = makeResults(kv?.count ?? 0);
    if (kv !== undefined) {
      const operations = new KvUnpacker(kv);
      for (let index = 0; operations.next(); index++) writeResult(numbers, index, this.#kv.apply(operations, expired));
    }
    const ids = events.map((event) => this.#events.add(event));
    return { kv: kv && { numbers }, events: ids, expired };
  }

  #oneByOne(kv: PackedKv | undefined, events: readonly NewEvent[]): BatchResult {
    const expired: Expired[] = [];
    const failures = new Map<number, Failure>();
    const numbers = makeResults(kv?.count ?? 0);
    if (kv !== undefined) {
      const operations = new KvUnpacker(kv);
      for (let index = 0; operations.next(); index++) {
        try {
          const removed = this.#transaction(() => {
            const gone: Expired[] = [];
            writeResult(numbers, index, this.#kv.apply(operations, gone));
            return gone;
          });
          expired.push(...removed);
        } catch (error) {
          writeResult(numbers, index, FAILED);
          failures.set(index, describeFailure(error, this.#file));
        }
      }
    }
    const ids = events.map((event) => {
      try {
        return this.#transaction(() => this.#events.add(event));
      } catch (error) {
        return describeFailure(error, this.#file);
      }
    });
    return { kv: kv && { numbers, failures }, events: ids, expired, commitMs: this.#commitMs };
  }

  /** @param work is done twice where there was no room at first: what it gathers, it begins anew */
  #transaction<T>(work: () => T): T {
    try {
      return this.#attempt(work);
    } catch (error) {
      if (!isFull(error) || !this.#emptyLog()) throw error;
    }
    return this.#attempt(work);
  }

  /**
   * Brings what is in the log into the file, so that the log begins anew: on a full disk what is there can then be changed and
   * removed, since neither needs more room than the files have already.
   * @returns false where that needs room as well
   */
  #emptyLog(): boolean {
    if (performance.now() < this.#hopelessUntilMs) return false;
    try {
      const { log, checkpointed } = this.#db.prepare("PRAGMA wal_checkpoint(PASSIVE)").get() ?? {};
      if (log === checkpointed) return true;
    } catch {
      // What does not fit stays in the log.
    }
    // It may have written megabytes in vain: not for each of the writes that wait.
    this.#hopelessUntilMs = performance.now() + HOPELESS_MS;
    return false;
  }

  #attempt<T>(work: () => T): T {
    const db = this.#db;
    this.#files.check();
    db.exec("BEGIN IMMEDIATE");
    try {
      const dataVersion = this.#lookForOthers();
      const result = work();
      this.#namespaces.save();
      const began = performance.now();
      db.exec("COMMIT");
      this.#commitMs = performance.now() - began;
      this.#seenVersion = dataVersion;
      return result;
    } catch (error) {
      this.#namespaces.forgetAll();
      // Some errors have rolled back already.
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  }

  /**
   * An operator's own program may have changed the file: a row that is remembered may be gone, and a write to it would be lost.
   * @returns what stays the same until somebody else writes
   */
  #lookForOthers(): unknown {
    const version = this.#dataVersion.get()?.["data_version"];
    if (version !== this.#seenVersion) this.#namespaces.recount();
    return version;
  }
}

const FAILED = { status: KvStatus.Failed, sequence: 0, version: 0, updatedAtMs: 0, expiresAtMs: 0 };
