import type { KvChange } from "./entry.ts";
import type { KvReader } from "./kv-reader.ts";

/** What a slow watcher may leave unread. Past it, changes are lost and it is told so. */
export const WATCHER_CHANGES = 1_000;
export const WATCHER_BYTES = 4 * 1_024 * 1_024;
/** Of the entries that were there when the watch began. */
const PAGE_ENTRIES = 200;
/** Each watcher that does not read holds one of them, and a plugin has many watchers. */
const PAGE_BYTES = 256 * 1_024;

/** What a watcher is handed: changes, or the word that some were lost. */
export type KvWatchItem = KvChange | { readonly lagged: true };

export interface WatcherParts {
  readonly reader: KvReader;
  readonly namespace: string;
  readonly prefix: string;
  readonly existing: boolean;
  readonly nowMs: () => number;
  readonly onClose: (watcher: KvWatcher) => void;
}

/** Keys up to (not including) `end` were read when the namespace had come to `sequence`. */
interface ReadPart {
  readonly end: Buffer | undefined;
  readonly sequence: number;
}

/**
 * Changes of one namespace, in their order. Whoever watches takes what is there when it has time, and is woken when there is
 * something after there was nothing. With `existing`, the entries that are there come first, a page at a time; each entry is
 * told once as it was at some moment, and each change after that moment follows.
 */
export class KvWatcher {
  readonly prefix: string;
  readonly #parts: WatcherParts;
  readonly #wake: () => void;
  #waiting: KvChange[] = [];
  #bytes = 0;
  #lost = false;
  #isClosed = false;
  /** Where the next page of existing entries begins; undefined when all were read. */
  #nextKey: string | undefined;
  readonly #read: ReadPart[] = [];

  constructor(parts: WatcherParts, wake: () => void) {
    this.#parts = parts;
    this.prefix = parts.prefix;
    this.#wake = wake;
    this.#nextKey = parts.existing ? parts.prefix : undefined;
  }

  /** What there is to tell, oldest first; empty when there is nothing. `wake` is called when that changes. */
  take(): KvWatchItem[] {
    if (this.#isClosed) return [];
    if (this.#waiting.length > 0 || this.#lost) {
      const items: KvWatchItem[] = this.#lost ? [{ lagged: true }, ...this.#waiting] : this.#waiting;
      this.#waiting = [];
      this.#bytes = 0;
      this.#lost = false;
      return items;
    }
    return this.#nextKey === undefined ? [] : this.#nextPage(this.#nextKey);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting = [];
    this.#parts.onClose(this);
  }

  /** @param sequence the namespace's count of changes with this one */
  changed(change: KvChange, sequence: number): void {
    if (this.#isClosed || this.#isTold(change.entry.key, sequence)) return;
    const bytes = change.entry.key.length + change.entry.value.length;
    if (this.#waiting.length >= WATCHER_CHANGES || this.#bytes + bytes > WATCHER_BYTES) {
      this.#waiting = [];
      this.#bytes = 0;
      this.#lost = true;
    }
    const wasEmpty = this.#waiting.length === 0;
    this.#waiting.push(change);
    this.#bytes += bytes;
    if (wasEmpty) this.#wake();
  }

  /** Whether a page holds it already, or one that is still to be read will. */
  #isTold(key: string, sequence: number): boolean {
    if (this.#nextKey === undefined && this.#read.length === 0) return false;
    const bytes = Buffer.from(key);
    const part = this.#read.find(({ end }) => end === undefined || Buffer.compare(bytes, end) < 0);
    if (part === undefined) return true;
    // All is read, and what was under way then has arrived: from here on nothing needs to be compared.
    if (this.#nextKey === undefined && sequence > this.#read.at(-1)!.sequence) this.#read.length = 0;
    return sequence <= part.sequence;
  }

  #nextPage(startKey: string): KvWatchItem[] {
    const { reader, namespace, prefix, nowMs } = this.#parts;
    const options = { prefix, startKey, limit: PAGE_ENTRIES };
    const { entries, nextKey, sequence } = reader.pageOf(namespace, nowMs(), options, PAGE_BYTES);
    this.#nextKey = nextKey === "" ? undefined : nextKey;
    this.#read.push({ end: nextKey === "" ? undefined : Buffer.from(nextKey), sequence });
    return entries.map((entry) => ({ entry, removed: false }));
  }
}
