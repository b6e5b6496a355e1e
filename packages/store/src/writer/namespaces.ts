import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Quota } from "../limits.ts";

/** What the writer remembers of an entry, so that it need not look before it writes. */
export interface KnownEntry {
  readonly id: number;
  version: number;
  /** Of key and value. */
  bytes: number;
  updatedAtMs: number;
  expiresAtMs: number;
}

/** Of all namespaces, a few megabytes. Entries that are written again and again are soon known anew; the rest costs one look each. */
const KNOWN_ENTRIES = 32_768;

/** What namespaces tell of themselves. */
interface Watchful {
  changed(namespace: Namespace): void;
  remembered(): void;
}

/** One namespace, as it will be when the transaction under way is committed. */
export class Namespace {
  readonly id: number;
  readonly name: string;
  readonly quota: Quota;
  entries: number;
  bytes: number;
  /** The last one given. */
  version: number;
  /** By key, one character per byte. */
  readonly #known = new Map<string, KnownEntry>();
  readonly #watchful: Watchful;

  constructor(row: NamespaceRow, quota: Quota, watchful: Watchful) {
    this.#watchful = watchful;
    this.id = row.id;
    this.name = row.name;
    this.entries = row.entries;
    this.bytes = row.bytes;
    this.version = row.version;
    this.quota = quota;
  }

  /** Counts a change. @returns its number */
  nextVersion(): number {
    this.#watchful.changed(this);
    this.version += 1;
    return this.version;
  }

  known(key: string): KnownEntry | undefined {
    return this.#known.get(key);
  }

  remember(key: string, entry: KnownEntry): void {
    this.#watchful.remembered();
    this.#known.set(key, entry);
  }

  forget(key: string): void {
    this.#known.delete(key);
  }

  forgetEntries(): void {
    this.#known.clear();
  }
}

interface NamespaceRow {
  readonly id: number;
  readonly name: string;
  readonly entries: number;
  readonly bytes: number;
  readonly version: number;
}

/** The namespaces that were used since the start or the last rollback. */
export class Namespaces implements Watchful {
  readonly #quotaOf: (name: string) => Quota;
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #name: StatementSync;
  readonly #recount: StatementSync;
  readonly #loaded = new Map<string, Namespace>();
  readonly #changed = new Set<Namespace>();
  /** Entries that were remembered since all were forgotten. */
  #remembered = 0;

  constructor(db: DatabaseSync, quotaOf: (name: string) => Quota) {
    this.#quotaOf = quotaOf;
    this.#find = db.prepare("SELECT id, name, entries, bytes, version FROM namespaces WHERE name = ?");
    this.#insert = db.prepare("INSERT INTO namespaces (name, entries, bytes, version) VALUES (?, 0, 0, 0)");
    this.#update = db.prepare("UPDATE namespaces SET entries = ?, bytes = ?, version = ? WHERE id = ?");
    this.#name = db.prepare("SELECT name FROM namespaces WHERE id = ?");
    const sum = (what: string) => `(SELECT coalesce(${what}, 0) FROM kv_entries WHERE namespace_id = namespaces.id)`;
    this.#recount = db.prepare(
      `UPDATE namespaces SET entries = ${sum("count(*)")}, bytes = ${sum("sum(length(key) + length(value))")}`,
    );
  }

  find(name: string): Namespace | undefined {
    const loaded = this.#loaded.get(name);
    if (loaded !== undefined) return loaded;
    const row = this.#find.get(name);
    if (row === undefined) return undefined;
    const namespace = new Namespace(row as never, this.#quotaOf(name), this);
    this.#loaded.set(name, namespace);
    return namespace;
  }

  findById(id: number): Namespace {
    return this.find((this.#name.get(id) as { name: string }).name)!;
  }

  findOrMake(name: string): Namespace {
    const found = this.find(name);
    if (found !== undefined) return found;
    this.#insert.run(name);
    return this.find(name)!;
  }

  changed(namespace: Namespace): void {
    this.#changed.add(namespace);
  }

  remembered(): void {
    this.#remembered += 1;
    if (this.#remembered <= KNOWN_ENTRIES) return;
    this.#remembered = 1;
    for (const namespace of this.#loaded.values()) namespace.forgetEntries();
  }

  /** Writes the sums of those that changed: once per transaction, whatever it holds. */
  save(): void {
    for (const { entries, bytes, version, id } of this.#changed) this.#update.run(entries, bytes, version, id);
    this.#changed.clear();
  }

  /** Somebody else has changed the tables, who knows nothing of the sums. */
  recount(): void {
    this.forgetAll();
    this.#recount.run();
  }

  /** After a rollback nothing that is remembered can be trusted. */
  forgetAll(): void {
    this.#loaded.clear();
    this.#changed.clear();
    this.#remembered = 0;
  }
}
