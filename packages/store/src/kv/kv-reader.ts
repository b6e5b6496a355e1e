import type { DatabaseSync, StatementSync } from "node:sqlite";
import { DEFAULT_LIST_ENTRIES, MAX_LIST_ENTRIES, MAX_PAGE_BYTES } from "../limits.ts";
import type { KvEntry, KvListOptions, KvPage, KvUsage } from "./entry.ts";

const NOTHING = new Uint8Array();
const EMPTY_PAGE: ReadPage = { entries: [], nextKey: "", sequence: 0 };
/** UTF-8 has no such byte, so every key is below it. */
const AFTER_ALL_KEYS = Uint8Array.of(0xff);

/** A page, and how far the namespace had come when it was read. */
export interface ReadPage extends KvPage {
  readonly sequence: number;
}

type Row = [version: number, updatedAtMs: number, expiresAtMs: number, value: Uint8Array];
type ListRow = [
  key: string | Uint8Array,
  version: number,
  updatedAtMs: number,
  expiresAtMs: number,
  value: Uint8Array | null,
];

/** Reads what is committed, on the hub's own thread: a read of what SQLite has in memory takes some microseconds. */
export class KvReader {
  readonly #db: DatabaseSync;
  readonly #namespace: StatementSync;
  readonly #usage: StatementSync;
  readonly #get: StatementSync;
  readonly #list: StatementSync;
  readonly #keys: StatementSync;
  /** A namespace keeps its number for ever. */
  readonly #ids = new Map<string, number>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#namespace = db.prepare("SELECT id FROM namespaces WHERE name = ?");
    this.#usage = db.prepare("SELECT entries, bytes, version FROM namespaces WHERE id = ?");
    // SQLite makes bytes of a text in less time than a buffer is made here.
    this.#get = db.prepare(
      `SELECT version, updated_at_ms, expires_at_ms, value FROM kv_entries
       WHERE namespace_id = ? AND key = CAST(? AS BLOB)`,
    );
    this.#get.setReturnArrays(true);
    const list = (value: string) => {
      const statement = db.prepare(
        // Where a text ends that holds a zero byte, runtimes do not agree.
        `SELECT iif(instr(key, x'00'), key, CAST(key AS TEXT)), version, updated_at_ms, expires_at_ms, ${value} FROM kv_entries
         WHERE namespace_id = ? AND key >= ? AND key < ? AND (expires_at_ms = 0 OR expires_at_ms > ?) ORDER BY key LIMIT ?`,
      );
      statement.setReturnArrays(true);
      return statement;
    };
    this.#list = list("value");
    this.#keys = list("NULL");
  }

  get(namespace: string, key: string, nowMs: number): KvEntry | undefined {
    const id = this.#id(namespace);
    if (id === undefined) return undefined;
    const row = this.#get.get(id, key) as Row | undefined;
    if (row === undefined) return undefined;
    const [version, updatedAtMs, expiresAtMs, value] = row;
    if (expiresAtMs > 0 && expiresAtMs <= nowMs) return undefined;
    return { key, value, version, updatedAtMs, expiresAtMs };
  }

  usage(namespace: string): KvUsage {
    const id = this.#id(namespace);
    if (id === undefined) return { entries: 0, bytes: 0 };
    const { entries, bytes } = this.#usage.get(id) as unknown as KvUsage;
    return { entries, bytes };
  }

  list(namespace: string, nowMs: number, options: KvListOptions): KvPage {
    const id = this.#id(namespace);
    return id === undefined ? EMPTY_PAGE : this.#page(id, nowMs, options);
  }

  /** As `list`, with the moment that it shows. */
  pageOf(namespace: string, nowMs: number, options: KvListOptions, maxBytes: number): ReadPage {
    const id = this.#id(namespace);
    if (id === undefined) return EMPTY_PAGE;
    this.#db.exec("BEGIN");
    try {
      const { version: sequence } = this.#usage.get(id) as { version: number };
      return { ...this.#page(id, nowMs, options, maxBytes), sequence };
    } finally {
      this.#db.exec("COMMIT");
    }
  }

  #page(id: number, nowMs: number, options: KvListOptions, maxBytes = MAX_PAGE_BYTES): KvPage {
    const prefix = Buffer.from(options.prefix ?? "");
    const start = Buffer.from(options.startKey ?? "");
    const from = Buffer.compare(start, prefix) > 0 ? start : prefix;
    const statement = options.keysOnly === true ? this.#keys : this.#list;
    const limit = limitOf(options);
    const { bytes } = this.#usage.get(id) as { bytes: number };
    // One by one takes twice as long, and is needed only where a page could grow too large.
    const isSmall = bytes <= maxBytes;
    const read = isSmall || options.keysOnly === true ? "all" : "iterate";
    const rows = statement[read](id, from, afterPrefix(prefix), nowMs, limit + 1) as unknown as Iterable<ListRow>;
    return page(rows, limit, isSmall ? Number.POSITIVE_INFINITY : maxBytes);
  }

  #id(namespace: string): number | undefined {
    const known = this.#ids.get(namespace);
    if (known !== undefined) return known;
    const row = this.#namespace.get(namespace) as { id: number } | undefined;
    if (row !== undefined) this.#ids.set(namespace, row.id);
    return row?.id;
  }
}

function page(rows: Iterable<ListRow>, limit: number, maxBytes: number): KvPage {
  const isBounded = maxBytes < Number.POSITIVE_INFINITY;
  const entries: KvEntry[] = [];
  let bytes = 0;
  for (const [name, version, updatedAtMs, expiresAtMs, value] of rows) {
    const key = typeof name === "string" ? name : Buffer.from(name.buffer, name.byteOffset, name.length).toString();
    if (isBounded) bytes += Buffer.byteLength(key) + (value?.length ?? 0);
    if (entries.length === limit || (entries.length > 0 && bytes > maxBytes)) return { entries, nextKey: key };
    entries.push({ key, value: value ?? NOTHING, version, updatedAtMs, expiresAtMs });
  }
  return { entries, nextKey: "" };
}

function limitOf({ limit = 0 }: KvListOptions): number {
  // SQLite takes a number below 0 for no limit at all.
  return Math.min(limit > 0 ? Math.ceil(limit) : DEFAULT_LIST_ENTRIES, MAX_LIST_ENTRIES);
}

/** The first bytes that are greater than everything that begins with the prefix. */
function afterPrefix(prefix: Buffer): Uint8Array {
  if (prefix.length === 0) return AFTER_ALL_KEYS;
  // The last byte of UTF-8 is never 255, so that there is always a next one.
  const after = Uint8Array.from(prefix);
  after[after.length - 1]! += 1;
  return after;
}
