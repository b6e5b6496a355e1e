import { checkExpected, checkKey, checkNamespace, checkPrefix, checkValue, expiryOf, type Quota } from "../limits.ts";
import { KvKind } from "../writer/kv-batch.ts";
import type { WriteQueue } from "../writer/write-queue.ts";
import type { KvCondition, KvEntry, KvEntryInfo, KvListOptions, KvPage, KvSetOptions, KvUsage } from "./entry.ts";
import type { KvReader } from "./kv-reader.ts";
import { KvWatcher } from "./kv-watcher.ts";
import { KvOutcomes, KvWrite } from "./kv-write.ts";
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
  readonly #outcomes: KvOutcomes;
  #checkedNamespace: string | undefined;

  constructor(parts: KvStoreParts) {
    this.#parts = parts;
    this.#outcomes = new KvOutcomes(parts);
  }

  /** @throws {HubError} `INVALID_ARGUMENT`, or what is wrong with the file */
  get(namespace: string, key: string): KvEntry | undefined {
    this.#checkNamespace(namespace);
    checkKey(key);
    return this.#parts.guard(() => this.#parts.reader.get(namespace, key, this.#parts.nowMs()));
  }

  /** @throws {HubError} as `get` */
  list(namespace: string, options: KvListOptions = {}): KvPage {
    this.#checkNamespace(namespace);
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
  set(namespace: string, key: string, value: Uint8Array, options: KvSetOptions = {}): Promise<KvEntryInfo> {
    return new Promise((resolve, reject) => {
      const { expectedVersion, ttlMs = 0 } = options;
      this.#checkNamespace(namespace);
      const keyBytes = checkKey(key);
      checkValue(value);
      checkExpected(expectedVersion);
      const nowMs = this.#parts.nowMs();
      const expiresAtMs = expiryOf(ttlMs, nowMs);
      const expected = expectedVersion ?? -1;
      const operation = { kind: KvKind.Set, namespace, key, keyBytes, value, expected, nowMs, expiresAtMs };
      this.#parts.queue.addKv(new KvWrite(this.#outcomes, operation, resolve as KvWrite["resolve"], reject));
    });
  }

  /** @returns the entry that was removed, undefined where there was none @throws {HubError} as `set` */
  delete(namespace: string, key: string, options: KvCondition = {}): Promise<KvEntryInfo | undefined> {
    return new Promise((resolve, reject) => {
      const { expectedVersion } = options;
      this.#checkNamespace(namespace);
      const keyBytes = checkKey(key);
      checkExpected(expectedVersion);
      const nowMs = this.#parts.nowMs();
      const expected = expectedVersion ?? -1;
      const kind = KvKind.Delete;
      const operation = { kind, namespace, key, keyBytes, value: NOTHING, expected, nowMs, expiresAtMs: 0 };
      this.#parts.queue.addKv(new KvWrite(this.#outcomes, operation, resolve, reject));
    });
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

  /** Most writes are in the namespace of the one before. */
  #checkNamespace(namespace: string): void {
    if (namespace === this.#checkedNamespace) return;
    checkNamespace(namespace);
    this.#checkedNamespace = namespace;
  }
}
