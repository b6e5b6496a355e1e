import type { Failure } from "../failure.ts";
import type { Quota } from "../limits.ts";
import type { PackedKv, PackedKvResults } from "./kv-batch.ts";
import type { Lane } from "./lane.ts";

/** What the writer's thread is started with. */
export interface WriterOptions {
  readonly file: string;
  readonly quota: Quota;
  /** Namespaces with a quota of their own. */
  readonly quotas: Readonly<Record<string, Quota>>;
  /** How long to wait for a foreign lock, in milliseconds. */
  readonly busyTimeoutMs: number;
  /** The file may not grow past this; 0: as large as the disk lets it. */
  readonly maxFileBytes: number;
}

export interface WriterStart extends WriterOptions {
  readonly lane: Lane;
}

/** An event to be written; its number comes back. */
export interface NewEvent {
  readonly timeMs: number;
  readonly plugin: string;
  readonly type: string;
  /** JSON. */
  readonly details: string;
}

/** An entry that is gone because its time was over. */
export interface Expired {
  readonly namespace: string;
  readonly key: Uint8Array;
  readonly version: number;
  /** As in `PackedKvResults`. */
  readonly sequence: number;
  readonly updatedAtMs: number;
  readonly expiresAtMs: number;
}

/** An entry that comes from elsewhere. */
export interface ImportedEntry {
  readonly namespace: string;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface ImportRequest {
  readonly entries: readonly ImportedEntry[];
  readonly events: readonly NewEvent[];
  /** Entries that are there already win, unless this is true. */
  readonly overwrite: boolean;
  readonly nowMs: number;
}

/** What an import changed; what was there already in the same form does not count. */
export interface ImportCounts {
  readonly entries: number;
  readonly events: number;
  /** Entries that differ from those that are there and were left out. */
  readonly conflicts: number;
}

export type WriterWork =
  | { readonly kind: "batch"; readonly kv: PackedKv | undefined; readonly events: readonly NewEvent[] }
  | { readonly kind: "sweep"; readonly nowMs: number }
  | { readonly kind: "prune"; readonly beforeMs: number; readonly maxRows: number }
  | { readonly kind: "import"; readonly request: ImportRequest }
  | { readonly kind: "close" };

/** A number is that of a slot of the lane, which holds a batch. */
export type WriterRequest = (WriterWork & { readonly id: number }) | number;

export interface BatchResult {
  readonly kv: PackedKvResults | undefined;
  /** The events' numbers, or why one was not written. */
  readonly events: readonly (number | Failure)[];
  /** Entries that had to go to make room. */
  readonly expired: readonly Expired[];
  /** How long the disk took, in milliseconds. */
  readonly commitMs: number;
}

export interface SweepResult {
  readonly expired: readonly Expired[];
  /** When the next entry expires, epoch milliseconds; 0: none will. */
  readonly nextMs: number;
}

/** Result by kind of work. */
export interface WriterResults {
  readonly batch: BatchResult;
  readonly sweep: SweepResult;
  readonly prune: number;
  readonly import: ImportCounts;
  readonly close: undefined;
}

/** A number is that of a slot of the lane, whose batch is done; where its results are more than numbers, they come beside it. */
export type WriterReply =
  | number
  | { readonly slot: number; readonly result: BatchResult }
  | { readonly id: number; readonly result: WriterResults[keyof WriterResults] }
  | { readonly id: number; readonly failure: Failure };

/** The first thing that the thread says. */
export type WriterHello = { readonly ready: { readonly nextExpiryMs: number } } | { readonly failure: Failure };
