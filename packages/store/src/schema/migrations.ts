/**
 * What turns an empty file into today's schema, in order; the number of a step is its place, from 1 on. A step that was ever
 * released never changes: what is wrong with it is put right by the next one.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- The sums are kept, so that a quota costs no count; "version" is the last one given to anything in the namespace.
  CREATE TABLE namespaces (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    entries INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    version INTEGER NOT NULL
  ) STRICT;

  -- Keys are the bytes of their UTF-8, which makes order and prefixes plain comparisons. The value comes last: what needs only
  -- the rest never reads its pages.
  CREATE TABLE kv_entries (
    id INTEGER PRIMARY KEY,
    namespace_id INTEGER NOT NULL REFERENCES namespaces (id),
    key BLOB NOT NULL,
    version INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    value BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX kv_entries_by_key ON kv_entries (namespace_id, key);
  CREATE INDEX kv_entries_by_expiry ON kv_entries (expires_at_ms) WHERE expires_at_ms > 0;

  -- AUTOINCREMENT: the number of an event that was forgotten is not given to another.
  CREATE TABLE plugin_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms INTEGER NOT NULL,
    plugin TEXT NOT NULL,
    type TEXT NOT NULL,
    details TEXT NOT NULL
  ) STRICT;
  CREATE INDEX plugin_events_by_time ON plugin_events (time_ms);
  CREATE INDEX plugin_events_by_plugin ON plugin_events (plugin, time_ms);
  `,
];
