import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Failure } from "../failure.ts";
import { checkExpected, checkKey, checkNamespace, checkPrefix, checkValue, expiryOf, type Quota } from "../limits.ts";
import { KvKind, type KvOperation, type KvResult, KvStatus } from "../writer/kv-batch.ts";
import { toHubError } from "../writer/thread.ts";
import type { WriteQueue } from "../writer/write-queue.ts";
import type { KvCondition, KvEntry, KvEntryInfo, KvListOptions, KvPage, KvSetOptions, KvUsage } from "./entry.ts";
import type { KvReader } from "./kv-reader.ts";
import { KvWatcher } from "./kv-watcher.ts";
import type { Watchers } from "./watchers.ts";

export interface KvStoreParts {
  readonly reader: KvReader;
  readonly queue: WriteQueue;
  readonly watchers: Watchers;
  readonly quotaOf: (namespace: string) => Quota;
  readonly nowMs: () => number;
  /** An entry that will expire was written. */
  readonly onExpiry: (atMs: number) => void;
  /** Turns what SQLite throws into a HubError. */
  readonly guard: <T>(read: () => T) => T;
}

const NOTHING = new Uint8Array();

/**
 * Entries by namespace and key. A write is answered when it is on disk. Reads see what is committed: every write that was
 * answered, and none that failed; a write that waits for its answer may be seen or not.
 */
export class KvStore {
  readonly #parts: KvStoreParts;

  constructor(parts: KvStoreParts) {
    this.#parts = parts;
  }

  /** @throws {HubError} `INVALID_ARGUMENT`, or what is wrong with the file */
  get(namespace: string, key: string): KvEntry | undefined {
    checkNamespace(namespace);
    checkKey(key);
    return this.#parts.guard(() => this.#parts.reader.get(namespace, key, this.#parts.nowMs()));
  }

  /** @throws {HubError} as `get` */
  list(namespace: string, options: KvListOptions = {}): KvPage {
    checkNamespace(namespace);
    checkPrefix(options.prefix ?? "");
    checkPrefix(options.startKey ?? "");
    return this.#parts.guard(() => this.#parts.reader.list(namespace, this.#parts.nowMs(), options));
  }

  usage(namespace: string): KvUsage {
    checkNamespace(namespace);
    return this.#parts.guard(() => this.#parts.reader.usage(namespace));
  }

  /**
   * @throws {HubError} `FAILED_PRECONDITION` where another version is there than the one expected; `RESOURCE_EXHAUSTED` for a
   * full namespace, queue or disk; `INVALID_ARGUMENT`; `UNAVAILABLE`. Nothing is changed then
   */
  async set(namespace: string, key: string, value: Uint8Array, options: KvSetOptions = {}): Promise<KvEntryInfo> {
    checkNamespace(namespace);
    const keyBytes = checkKey(key);
    checkValue(value);
    checkExpected(options.expectedVersion);
    const nowMs = this.#parts.nowMs();
    const expiresAtMs = expiryOf(options.ttlMs ?? 0, nowMs);
    const expected = options.expectedVersion ?? -1;
    const kind = KvKind.Set;
    const operation = { kind, namespace, key, keyBytes, value, expected, nowMs, expiresAtMs };
    return await this.#write(operation, (result) => {
      if (expiresAtMs > 0) this.#parts.onExpiry(expiresAtMs);
      return { key, version: result.version, updatedAtMs: result.updatedAtMs, expiresAtMs: result.expiresAtMs };
    });
  }

  /** @returns the entry that was removed, undefined where there was none @throws {HubError} as `set` */
  async delete(namespace: string, key: string, options: KvCondition = {}): Promise<KvEntryInfo | undefined> {
    checkNamespace(namespace);
    const keyBytes = checkKey(key);
    checkExpected(options.expectedVersion);
    const expected = options.expectedVersion ?? -1;
    const [kind, nowMs] = [KvKind.Delete, this.#parts.nowMs()];
    const operation = { kind, namespace, key, keyBytes, value: NOTHING, expected, nowMs, expiresAtMs: 0 };
    return await this.#write(operation, ({ version, updatedAtMs, expiresAtMs }) =>
      version === 0 ? undefined : { key, version, updatedAtMs, expiresAtMs },
    );
  }

  /** @param wake called when there is something to take after there was nothing; with `existing`, take at once */
  watch(namespace: string, options: { prefix?: string; existing?: boolean }, wake: () => void): KvWatcher {
    checkNamespace(namespace);
    const { prefix = "", existing = false } = options;
    checkPrefix(prefix);
    const { reader, nowMs, watchers } = this.#parts;
    const onClose = (closed: KvWatcher) => watchers.remove(namespace, closed);
    const watcher = new KvWatcher({ reader, namespace, prefix, existing, nowMs, onClose }, wake);
    watchers.add(namespace, watcher);
    return watcher;
  }

  #write<T>(operation: KvOperation, toAnswer: (result: KvResult) => T): Promise<T> {
    const { namespace, key } = operation;
    const { watchers, queue } = this.#parts;
    // The caller may use its buffer again before the commit; a copy is worth making only where somebody listens.
    const kept = watchers.wants(namespace, key) ? Uint8Array.from(operation.value) : undefined;
    return new Promise((resolve, reject) => {
      const settled = (result: KvResult, failure: Failure | undefined) => {
        if (failure !== undefined) reject(toHubError(failure));
        else if (result.status !== KvStatus.Done) reject(this.#refusal(operation, result));
        else {
          if (result.sequence > 0) this.#tell(operation, result, kept);
          resolve(toAnswer(result));
        }
      };
      queue.addKv(operation, { settled });
    });
  }

  #tell({ kind, namespace, key }: KvOperation, result: KvResult, kept: Uint8Array | undefined): void {
    const { watchers } = this.#parts;
    if (!watchers.wants(namespace, key)) return;
    const { version, updatedAtMs, expiresAtMs, sequence } = result;
    const removed = kind === KvKind.Delete;
    const value = removed ? NOTHING : (kept ?? this.#valueOf(namespace, key, version));
    if (value === undefined) return;
    watchers.tell(namespace, { entry: { key, value, version, updatedAtMs, expiresAtMs }, removed }, sequence);
  }

  /** For somebody who began to watch after the write was queued. Where it is overwritten already, that is told in its turn. */
  #valueOf(namespace: string, key: string, version: number): Uint8Array | undefined {
    try {
      const entry = this.#parts.reader.get(namespace, key, this.#parts.nowMs());
      return entry?.version === version ? entry.value : undefined;
    } catch {
      // The write itself went well, and its answer must not fail for a watcher's sake.
      return undefined;
    }
  }

  #refusal({ namespace, key, expected }: KvOperation, { status, version }: KvResult): HubError {
    if (status === KvStatus.NotExpected) {
      const found = version === 0 ? "is not there" : `has version ${version}`;
      const wanted = expected === 0 ? "it was not to be there" : `version ${expected} was expected`;
      return new HubError(ErrorCode.FailedPrecondition, `Entry "${key}" of "${namespace}" ${found}, and ${wanted}`);
    }
    const { maxEntries, maxBytes } = this.#parts.quotaOf(namespace);
    const quota = status === KvStatus.EntriesFull ? `${maxEntries} entries` : `${maxBytes} bytes`;
    return new HubError(
      ErrorCode.ResourceExhausted,
      `Namespace "${namespace}" is full: its quota is ${quota}. Remove entries, or raise the quota in the config`,
    );
  }
}
