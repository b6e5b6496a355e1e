import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Failure } from "../failure.ts";
import type { Quota } from "../limits.ts";
import { KvKind, type KvOperation, type KvResult, KvStatus } from "../writer/kv-batch.ts";
import { toHubError } from "../writer/thread.ts";
import type { PendingKv } from "../writer/write-queue.ts";
import type { KvEntryInfo } from "./entry.ts";
import type { KvReader } from "./kv-reader.ts";
import type { Watchers } from "./watchers.ts";

const NOTHING = new Uint8Array();

export interface KvOutcomeParts {
  readonly reader: KvReader;
  readonly watchers: Watchers;
  readonly quotaOf: (namespace: string) => Quota;
  readonly nowMs: () => number;
  /** An entry that will expire was written. */
  readonly onExpiry: (atMs: number) => void;
}

/** One write from when it is asked for to its answer. */
export class KvWrite implements PendingKv {
  readonly operation: KvOperation;
  readonly resolve: (info: KvEntryInfo | undefined) => void;
  readonly reject: (error: HubError) => void;
  /** A copy of the value for whoever watches. */
  readonly kept: Uint8Array | undefined;
  readonly #outcomes: KvOutcomes;

  constructor(
    outcomes: KvOutcomes,
    operation: KvOperation,
    resolve: (info: KvEntryInfo | undefined) => void,
    reject: (error: HubError) => void,
  ) {
    this.operation = operation;
    this.resolve = resolve;
    this.reject = reject;
    this.kept = outcomes.keep(operation);
    this.#outcomes = outcomes;
  }

  settled(result: KvResult, failure: Failure | undefined): void {
    if (failure !== undefined) this.reject(toHubError(failure));
    else if (result.status !== KvStatus.Done) this.reject(this.#outcomes.refusal(this.operation, result));
    else this.resolve(this.#outcomes.done(this, result));
  }
}

/** What follows from how a write went. */
export class KvOutcomes {
  readonly #parts: KvOutcomeParts;

  constructor(parts: KvOutcomeParts) {
    this.#parts = parts;
  }

  /** The caller may use its buffer again before the commit; a copy is worth making only where somebody listens. */
  keep({ namespace, key, value }: KvOperation): Uint8Array | undefined {
    return this.#parts.watchers.wants(namespace, key) ? Uint8Array.from(value) : undefined;
  }

  /** @returns the entry that was written or removed, undefined where there was none to remove */
  done(write: KvWrite, result: KvResult): KvEntryInfo | undefined {
    if (result.sequence > 0) this.#tell(write, result);
    const { version, updatedAtMs, expiresAtMs } = result;
    if (version === 0) return undefined;
    const { key, expiresAtMs: asked } = write.operation;
    if (asked > 0) this.#parts.onExpiry(asked);
    return { key, version, updatedAtMs, expiresAtMs };
  }

  refusal({ namespace, key, expected }: KvOperation, { status, version }: KvResult): HubError {
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

  #tell({ operation, kept }: KvWrite, result: KvResult): void {
    const { kind, namespace, key } = operation;
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
}
