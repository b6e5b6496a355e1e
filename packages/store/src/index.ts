/** The hub's own database: `Store.open({ file })`. @module */
export { type Restored, type RestoreOptions, restoreDatabase } from "./backup/restore.ts";
export type {
  EventPage,
  EventPageQuery,
  EventQuery,
  EventStore,
  PluginEventInput,
  RecordedEvent,
} from "./events/event-store.ts";
export { DEFAULT_RETENTION, type Retention } from "./housekeeping.ts";
export { inspectStore, type StoreInspection } from "./inspect.ts";
export type {
  KvChange,
  KvCondition,
  KvEntry,
  KvEntryInfo,
  KvListOptions,
  KvPage,
  KvSetOptions,
  KvUsage,
} from "./kv/entry.ts";
export type { KvStore } from "./kv/kv-store.ts";
export type { KvWatcher, KvWatchItem } from "./kv/kv-watcher.ts";
export { DEFAULT_QUOTA, MAX_KEY_BYTES, MAX_LIST_ENTRIES, MAX_VALUE_BYTES, type Quota } from "./limits.ts";
export { Store, type StoreOptions } from "./store.ts";
export type { ImportCounts, ImportedEntry, ImportRequest, NewEvent } from "./writer/messages.ts";
