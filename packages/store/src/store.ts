import { mkdir } from "node:fs/promises";
import { dirname, isAbsolute } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { backupDatabase } from "./backup/backup.ts";
import { EventStore } from "./events/event-store.ts";
import { describeFailure } from "./failure.ts";
import { Housekeeping, type Retention } from "./housekeeping.ts";
import { KvReader } from "./kv/kv-reader.ts";
import { KvStore } from "./kv/kv-store.ts";
import { Watchers } from "./kv/watchers.ts";
import { DEFAULT_QUOTA, type Quota } from "./limits.ts";
import type { ImportCounts, ImportRequest } from "./writer/messages.ts";
import { toHubError, WriterThread } from "./writer/thread.ts";
import { WriteQueue } from "./writer/write-queue.ts";

export interface StoreOptions {
  /** Absolute. Made, with its directory, where it is missing. */
  readonly file: string;
  /** Of every namespace that has none of its own. Default 64 MiB and 100 000 entries. */
  readonly quota?: Partial<Quota> | undefined;
  /** By namespace. */
  readonly quotas?: Readonly<Record<string, Partial<Quota>>> | undefined;
  /** How long events are kept. Default 7 days and 100 000. */
  readonly retention?: Partial<Retention> | undefined;
  /** How long a write waits while another program holds the file, in milliseconds. Default 5 000. */
  readonly busyTimeoutMs?: number | undefined;
  /** The file may not grow past this. Default: as large as the disk lets it. */
  readonly maxFileBytes?: number | undefined;
  /** Epoch milliseconds; for tests. */
  readonly nowMs?: (() => number) | undefined;
  /** Hears of housekeeping that failed; it is tried again later. */
  readonly onProblem?: ((error: HubError) => void) | undefined;
}

/** The hub's database: entries of plugins, and what happened to them. */
export class Store implements AsyncDisposable {
  readonly file: string;
  readonly kv: KvStore;
  readonly events: EventStore;
  readonly #thread: WriterThread;
  readonly #queue: WriteQueue;
  readonly #watchers: Watchers;
  readonly #reader: DatabaseSync;
  readonly #housekeeping: Housekeeping;
  readonly #backups = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  private constructor(options: StoreOptions, thread: WriterThread, reader: DatabaseSync) {
    const { file, nowMs = Date.now } = options;
    const guard = guardFor(file, () => this.#closing !== undefined);
    const watchers = new Watchers();
    const queue = new WriteQueue(thread, (expired) => watchers.expired(expired));
    this.file = file;
    this.#thread = thread;
    this.#queue = queue;
    this.#watchers = watchers;
    this.#reader = reader;
    this.#housekeeping = new Housekeeping({
      thread,
      nowMs,
      retention: options.retention ?? {},
      onExpired: (expired) => watchers.expired(expired),
      onProblem: options.onProblem ?? (() => {}),
    });
    const quotas = fullQuotas(options);
    this.kv = new KvStore({
      reader: new KvReader(reader),
      queue,
      watchers,
      quotaOf: (namespace) => (Object.hasOwn(quotas.byName, namespace) ? quotas.byName[namespace]! : quotas.common),
      nowMs,
      onExpiry: (atMs) => this.#housekeeping.expiryAt(atMs),
      guard,
    });
    this.events = new EventStore({ db: reader, queue, nowMs, guard });
  }

  /**
   * Opens the database, and brings an older one up to date.
   * @throws {HubError} `ALREADY_EXISTS` where another hub has it, `DATA_LOSS` for a damaged file, `FAILED_PRECONDITION` for one
   * that is newer, another program's or may not be written, `UNAVAILABLE` while another program holds it. The file is as it was
   */
  static async open(options: StoreOptions): Promise<Store> {
    const { file } = options;
    if (!isAbsolute(file)) throw new HubError(ErrorCode.InvalidArgument, `A store needs an absolute path: "${file}"`);
    await makeDirectory(file);
    const { common, byName } = fullQuotas(options);
    const thread = await WriterThread.start({
      file,
      quota: common,
      quotas: byName,
      busyTimeoutMs: options.busyTimeoutMs ?? 5_000,
      maxFileBytes: options.maxFileBytes ?? 0,
    });
    try {
      const reader = new DatabaseSync(file, { readOnly: true, timeout: 100 });
      const store = new Store(options, thread, reader);
      store.#housekeeping.start();
      return store;
    } catch (error) {
      await thread.close();
      throw toHubError(describeFailure(error, file));
    }
  }

  /** Removes entries whose time is over and events that are too old. It happens by itself; this is for who cannot wait. */
  async clean(): Promise<void> {
    await this.#housekeeping.run();
  }

  /** @param target absolute path of a file that is not there @throws {HubError} see `backupDatabase` */
  async backup(target: string): Promise<void> {
    if (this.#closing !== undefined) throw new HubError(ErrorCode.Unavailable, `Store "${this.file}" is closed`);
    const backup = backupDatabase(this.file, target);
    this.#backups.add(backup);
    try {
      await backup;
    } finally {
      this.#backups.delete(backup);
    }
  }

  /** All or nothing. @throws {HubError} `RESOURCE_EXHAUSTED` where it does not fit */
  async import(request: Omit<ImportRequest, "nowMs">): Promise<ImportCounts> {
    return await this.#thread.run({ kind: "import", request: { ...request, nowMs: Date.now() } });
  }

  /** Puts what was asked for on disk, then closes the file. Repeatable. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#housekeeping.stop();
    await this.#queue.close(new HubError(ErrorCode.Unavailable, `Store "${this.file}" is closed`));
    this.#watchers.closeAll();
    await Promise.allSettled(this.#backups);
    this.#reader.close();
    await this.#thread.close();
  }
}

function fullQuotas({ quota, quotas = {} }: StoreOptions): { common: Quota; byName: Record<string, Quota> } {
  const common = { ...DEFAULT_QUOTA, ...quota };
  const byName = Object.entries(quotas).map(([name, own]) => [name, { ...common, ...own }] as const);
  return { common, byName: Object.fromEntries(byName) };
}

function guardFor(file: string, isClosed: () => boolean): <T>(read: () => T) => T {
  return (read) => {
    if (isClosed()) throw new HubError(ErrorCode.Unavailable, `Store "${file}" is closed`);
    try {
      return read();
    } catch (error) {
      throw toHubError(describeFailure(error, file));
    }
  };
}

/** Like the file, it is for the hub's user alone. */
async function makeDirectory(file: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  } catch (error) {
    const what = `Cannot make the directory of database "${file}": ${(error as Error).message}`;
    throw new HubError(ErrorCode.FailedPrecondition, what, { cause: error });
  }
}
