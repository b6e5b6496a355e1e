import type { DatabaseSync, StatementSync } from "node:sqlite";
import { boundDetails } from "../events/details.ts";
import { FailureError } from "../failure.ts";
import type { EventWriter } from "./event-writer.ts";
import { KvKind, KvPacker, KvStatus, KvUnpacker } from "./kv-batch.ts";
import type { KvWriter } from "./kv-writer.ts";
import type { ImportCounts, ImportedEntry, ImportRequest, NewEvent } from "./messages.ts";
import type { Namespaces } from "./namespaces.ts";

/** Takes over what another program kept. Twice the same import changes nothing the second time. */
export class Importer {
  readonly #namespaces: Namespaces;
  readonly #kv: KvWriter;
  readonly #events: EventWriter;
  readonly #value: StatementSync;
  readonly #sameEvent: StatementSync;

  constructor(db: DatabaseSync, namespaces: Namespaces, kv: KvWriter, events: EventWriter) {
    this.#namespaces = namespaces;
    this.#kv = kv;
    this.#events = events;
    this.#value = db.prepare(
      "SELECT value FROM kv_entries WHERE namespace_id = ? AND key = ? AND (expires_at_ms = 0 OR expires_at_ms > ?)",
    );
    this.#sameEvent = db.prepare(
      "SELECT count(*) AS count FROM plugin_events WHERE plugin = ? AND time_ms = ? AND type = ? AND details = ?",
    );
  }

  /** @throws {FailureError} where an entry does not fit; then nothing is to be kept */
  run(request: ImportRequest): ImportCounts {
    let entries = 0;
    let conflicts = 0;
    for (const entry of request.entries) {
      const there = this.#there(entry, request.nowMs);
      if (there !== undefined && Buffer.compare(there, entry.value) === 0) continue;
      if (there !== undefined && !request.overwrite) conflicts += 1;
      else {
        this.#set(entry, request.nowMs);
        entries += 1;
      }
    }
    return { entries, conflicts, events: this.#addEvents(request.events) };
  }

  /** The same thing may have happened several times in one millisecond: as many as are there already are left out. */
  #addEvents(events: readonly NewEvent[]): number {
    const there = new Map<string, number>();
    let added = 0;
    for (const { plugin, timeMs, type, ...event } of events) {
      const details = boundDetails(event.details);
      const name = JSON.stringify([plugin, timeMs, type, details]);
      const count = there.get(name) ?? (this.#sameEvent.get(plugin, timeMs, type, details) as { count: number }).count;
      there.set(name, count - 1);
      if (count > 0) continue;
      this.#events.add({ plugin, timeMs, type, details });
      added += 1;
    }
    return added;
  }

  #there({ namespace, key }: ImportedEntry, nowMs: number): Uint8Array | undefined {
    const found = this.#namespaces.find(namespace);
    return found && (this.#value.get(found.id, key, nowMs)?.["value"] as Uint8Array | undefined);
  }

  #set({ namespace, key, value }: ImportedEntry, nowMs: number): void {
    const text = Buffer.from(key).toString("utf8");
    const packer = new KvPacker();
    const common = { kind: KvKind.Set, expected: -1, nowMs, expiresAtMs: 0 };
    packer.add({ ...common, namespace, key: text, keyBytes: key.length, value });
    const operation = new KvUnpacker(packer.packed());
    operation.next();
    if (this.#kv.apply(operation, []).status === KvStatus.Done) return;
    throw new FailureError(
      "RESOURCE_EXHAUSTED",
      `Nothing was imported: the entries of "${namespace}" do not fit into its quota. Raise it in the config and try again`,
    );
  }
}
