/** An entry without its value. */
export interface KvEntryInfo {
  readonly key: string;
  /** Grows with every change in the namespace; never used twice for one key. */
  readonly version: number;
  /** Epoch milliseconds. */
  readonly updatedAtMs: number;
  /** Epoch milliseconds; 0 for an entry that stays. */
  readonly expiresAtMs: number;
}

export interface KvEntry extends KvEntryInfo {
  readonly value: Uint8Array;
}

/** What a change needs to be true to happen. */
export interface KvCondition {
  /** The version that must be there; 0: there must be no entry; absent: whatever is there. */
  readonly expectedVersion?: number | undefined;
}

export interface KvSetOptions extends KvCondition {
  /** Milliseconds until it expires; 0 or absent: never. */
  readonly ttlMs?: number | undefined;
}

export interface KvListOptions {
  /** Only keys that begin with it. */
  readonly prefix?: string | undefined;
  /** Only keys from this one on, in the order of their bytes. */
  readonly startKey?: string | undefined;
  /** 100 where it is 0 or absent; never more than 1 000, and less where values are large. */
  readonly limit?: number | undefined;
  /** Leave the values out: they are empty then. */
  readonly keysOnly?: boolean | undefined;
}

export interface KvPage {
  readonly entries: readonly KvEntry[];
  /** `startKey` of the next page; empty at the end. */
  readonly nextKey: string;
}

/** One change, as a watcher hears of it. */
export interface KvChange {
  /** Its value is empty where it was removed. */
  readonly entry: KvEntry;
  /** Removed or expired. */
  readonly removed: boolean;
}

/** How much a namespace holds. */
export interface KvUsage {
  readonly entries: number;
  /** Of keys and values. */
  readonly bytes: number;
}
