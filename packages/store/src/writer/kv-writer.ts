import type { DatabaseSync, StatementSync } from "node:sqlite";
import { KvKind, type KvResult, KvStatus, type KvUnpacker } from "./kv-batch.ts";
import type { Expired } from "./messages.ts";
import type { KnownEntry, Namespace, Namespaces } from "./namespaces.ts";

/** Entries that one sweep removes at most: others wait to be written meanwhile. */
const SWEEP_ENTRIES = 500;

interface ExpiredRow {
  readonly id: number;
  readonly namespaceId: number;
  readonly key: Uint8Array;
  readonly version: number;
  readonly bytes: number;
  readonly updatedAtMs: number;
  readonly expiresAtMs: number;
}

/** Changes entries. Everything happens in a transaction that somebody else begins and ends. */
export class KvWriter {
  readonly #namespaces: Namespaces;
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  /** For an entry that stays, as it did before: the index of what expires is not looked at, which saves a quarter of the time. */
  readonly #updateValue: StatementSync;
  readonly #delete: StatementSync;
  readonly #expired: StatementSync;
  readonly #expiredIn: StatementSync;
  readonly #nextExpiry: StatementSync;
  readonly #result: KvResult = { status: 0, sequence: 0, version: 0, updatedAtMs: 0, expiresAtMs: 0 };

  constructor(db: DatabaseSync, namespaces: Namespaces) {
    this.#namespaces = namespaces;
    this.#find = db.prepare(
      `SELECT id, version, length(key) + length(value) AS bytes, updated_at_ms AS updatedAtMs,
       expires_at_ms AS expiresAtMs FROM kv_entries WHERE namespace_id = ? AND key = ?`,
    );
    this.#insert = db.prepare(
      `INSERT INTO kv_entries (namespace_id, key, version, updated_at_ms, expires_at_ms, value)
       VALUES (?, ?, ?, ?, ?, ?)`,
    );
    this.#update = db.prepare(
      "UPDATE kv_entries SET version = ?, updated_at_ms = ?, expires_at_ms = ?, value = ? WHERE id = ?",
    );
    this.#updateValue = db.prepare("UPDATE kv_entries SET version = ?, updated_at_ms = ?, value = ? WHERE id = ?");
    this.#delete = db.prepare("DELETE FROM kv_entries WHERE id = ?");
    const expired = `SELECT id, namespace_id AS namespaceId, key, version, length(key) + length(value) AS bytes,
       updated_at_ms AS updatedAtMs, expires_at_ms AS expiresAtMs
       FROM kv_entries WHERE expires_at_ms > 0 AND expires_at_ms <= ?`;
    this.#expired = db.prepare(`${expired} ORDER BY expires_at_ms LIMIT ${SWEEP_ENTRIES}`);
    this.#expiredIn = db.prepare(`${expired} AND namespace_id = ?`);
    this.#nextExpiry = db.prepare("SELECT min(expires_at_ms) AS next FROM kv_entries WHERE expires_at_ms > 0");
  }

  /**
   * Carries out one operation.
   * @param removed receives entries that had to go to make room
   * @returns the same object each time
   */
  apply(operation: KvUnpacker, removed: Expired[]): KvResult {
    return operation.kind === KvKind.Set ? this.#set(operation, removed) : this.#remove(operation);
  }

  /** Removes what has expired, the oldest first, as much as fits into one transaction. */
  sweep(nowMs: number): Expired[] {
    return this.#drop(this.#expired.all(nowMs) as unknown as ExpiredRow[]);
  }

  /** Epoch milliseconds; 0 where nothing will expire. */
  nextExpiryMs(): number {
    return (this.#nextExpiry.get() as { next: number | null }).next ?? 0;
  }

  #set(operation: KvUnpacker, removed: Expired[]): KvResult {
    const { value, expected, nowMs, expiresAtMs } = operation;
    const namespace = this.#namespaces.findOrMake(operation.namespace);
    const name = operation.keyName;
    const current = this.#entry(namespace, name, operation);
    // An entry whose time is over is not there, even if its row still is.
    const isThere = current !== undefined && !isExpired(current, nowMs);
    if (expected >= 0 && expected !== (isThere ? current.version : 0)) {
      return this.#is(KvStatus.NotExpected, 0, isThere ? current.version : 0, 0, 0);
    }
    const bytes = operation.keyBytes + value.length;
    const full = this.#full(namespace, current, bytes);
    if (full !== undefined) {
      // What has expired may be in the way; that it is gone must not depend on when the sweep comes.
      const swept = this.#drop(this.#expiredIn.all(nowMs, namespace.id) as unknown as ExpiredRow[]);
      removed.push(...swept);
      if (swept.length > 0) return this.#set(operation, removed);
      return this.#is(full, 0, namespace.entries, namespace.bytes, 0);
    }
    const version = namespace.nextVersion();
    if (current === undefined) {
      const { lastInsertRowid } = this.#insert.run(namespace.id, operation.key, version, nowMs, expiresAtMs, value);
      namespace.entries += 1;
      namespace.bytes += bytes;
      namespace.remember(name, { id: Number(lastInsertRowid), version, bytes, updatedAtMs: nowMs, expiresAtMs });
    } else {
      if (expiresAtMs === 0 && current.expiresAtMs === 0) this.#updateValue.run(version, nowMs, value, current.id);
      else this.#update.run(version, nowMs, expiresAtMs, value, current.id);
      namespace.bytes += bytes - current.bytes;
      current.version = version;
      current.bytes = bytes;
      current.updatedAtMs = nowMs;
      current.expiresAtMs = expiresAtMs;
    }
    return this.#is(KvStatus.Done, version, version, nowMs, expiresAtMs);
  }

  #remove(operation: KvUnpacker): KvResult {
    const { expected, nowMs } = operation;
    const namespace = this.#namespaces.find(operation.namespace);
    const name = operation.keyName;
    const current = namespace === undefined ? undefined : this.#entry(namespace, name, operation);
    const isThere = current !== undefined && !isExpired(current, nowMs);
    if (expected >= 0 && expected !== (isThere ? current.version : 0)) {
      return this.#is(KvStatus.NotExpected, 0, isThere ? current.version : 0, 0, 0);
    }
    if (namespace === undefined || !isThere) return this.#is(KvStatus.Done, 0, 0, 0, 0);
    this.#delete.run(current.id);
    namespace.entries -= 1;
    namespace.bytes -= current.bytes;
    namespace.forget(name);
    const { version, updatedAtMs, expiresAtMs } = current;
    return this.#is(KvStatus.Done, namespace.nextVersion(), version, updatedAtMs, expiresAtMs);
  }

  #entry(namespace: Namespace, name: string, operation: KvUnpacker): KnownEntry | undefined {
    const known = namespace.known(name);
    if (known !== undefined) return known;
    const found = this.#find.get(namespace.id, operation.key) as KnownEntry | undefined;
    if (found !== undefined) namespace.remember(name, found);
    return found;
  }

  #full(namespace: Namespace, current: KnownEntry | undefined, bytes: number): number | undefined {
    const { quota } = namespace;
    if (current === undefined && namespace.entries >= quota.maxEntries) return KvStatus.EntriesFull;
    const after = namespace.bytes - (current?.bytes ?? 0) + bytes;
    // What makes the namespace smaller is welcome, also where the quota was lowered below what is there.
    return after > quota.maxBytes && after > namespace.bytes ? KvStatus.BytesFull : undefined;
  }

  #drop(rows: readonly ExpiredRow[]): Expired[] {
    return rows.map(({ id, namespaceId, key, version, bytes, updatedAtMs, expiresAtMs }) => {
      const namespace = this.#namespaces.findById(namespaceId);
      this.#delete.run(id);
      namespace.entries -= 1;
      namespace.bytes -= bytes;
      namespace.forget(Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1"));
      const sequence = namespace.nextVersion();
      return { namespace: namespace.name, key, version, sequence, updatedAtMs, expiresAtMs };
    });
  }

  #is(status: number, sequence: number, version: number, updatedAtMs: number, expiresAtMs: number): KvResult {
    const result = this.#result;
    result.status = status;
    result.sequence = sequence;
    result.version = version;
    result.updatedAtMs = updatedAtMs;
    result.expiresAtMs = expiresAtMs;
    return result;
  }
}

function isExpired(entry: KnownEntry, nowMs: number): boolean {
  return entry.expiresAtMs > 0 && entry.expiresAtMs <= nowMs;
}
