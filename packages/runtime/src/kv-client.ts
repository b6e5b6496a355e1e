import type { CallOptions } from "./hub-client.ts";
import type { JsonValue } from "./json.ts";

/** Entries that the hub keeps for this plugin and for nobody else. They outlive the plugin, the hub and the machine's power. */
export interface KvClient {
  /** @returns undefined where there is no entry, or its time is over */
  get(key: string, options?: CallOptions): Promise<KvEntry | undefined>;
  /** @throws {HubError} `FAILED_PRECONDITION` for an entry that is not UTF-8 */
  getText(key: string, options?: CallOptions): Promise<string | undefined>;
  /** @throws {HubError} `FAILED_PRECONDITION` for an entry that is not JSON */
  getJson(key: string, options?: CallOptions): Promise<JsonValue | undefined>;
  /**
   * Resolves when it is on disk.
   * @returns its version
   * @throws {HubError} `FAILED_PRECONDITION` where not the expected version is there, `RESOURCE_EXHAUSTED` over the quota,
   * `INVALID_ARGUMENT` for a key over 1 024 bytes or a value over 1 MiB
   */
  set(key: string, value: Uint8Array | string, options?: KvSetOptions): Promise<number>;
  setJson(key: string, value: JsonValue, options?: KvSetOptions): Promise<number>;
  /** @returns whether there was an entry @throws {HubError} `FAILED_PRECONDITION` where not the expected version is there */
  delete(key: string, options?: KvDeleteOptions): Promise<boolean>;
  /** One page, in the order of the keys' bytes. */
  list(prefix?: string, options?: KvListOptions): Promise<KvPage>;
  /** All entries of a prefix, page by page. */
  entries(prefix?: string, options?: Omit<KvListOptions, "startKey">): AsyncIterable<KvEntry>;
  /**
   * Changes as they happen, until the loop is left. A broken connection rejects with `UNAVAILABLE`: begin again, with
   * `existing`, and nothing is missed.
   */
  watch(prefix?: string, options?: KvWatchOptions): AsyncIterable<KvChange>;
}

export interface KvEntry {
  readonly key: string;
  /** Empty in lists with `keysOnly`. */
  readonly value: Uint8Array;
  /** Grows with every change; never comes twice. */
  readonly version: number;
  /** Epoch milliseconds. */
  readonly updatedAtMs: number;
  /** Epoch milliseconds; 0 for an entry that stays. */
  readonly expiresAtMs: number;
}

export interface KvDeleteOptions extends CallOptions {
  /** The version that must be there; 0: there must be no entry. */
  readonly expectedVersion?: number;
}

export interface KvSetOptions extends KvDeleteOptions {
  /** Milliseconds until it is gone. Default: never. */
  readonly ttlMs?: number;
}

export interface KvListOptions extends CallOptions {
  /** Only keys from this one on. */
  readonly startKey?: string;
  /** Default 100, at most 1 000; a page with large values holds fewer. */
  readonly limit?: number;
  readonly keysOnly?: boolean;
}

export interface KvPage {
  readonly entries: readonly KvEntry[];
  /** `startKey` of the next page; empty at the end. */
  readonly nextKey: string;
}

export interface KvWatchOptions extends CallOptions {
  /** First what is there, each entry as "set". */
  readonly existing?: boolean;
}

/** What a watcher hears. */
export type KvChange =
  | { readonly type: "set"; readonly entry: KvEntry }
  /** Removed or expired; the entry has no value. */
  | { readonly type: "removed"; readonly entry: KvEntry }
  /** Comes once: the watch is in place, and what was there has been told. */
  | { readonly type: "ready" }
  /** Changes were lost, because they were not taken in time. List again. */
  | { readonly type: "lagged" };
