import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { NewEvent } from "./messages.ts";

/** Rows that one transaction removes at most, so that nobody waits long behind it. */
const PRUNE_ROWS = 5_000;

/** Writes events, and forgets old ones. */
export class EventWriter {
  readonly #insert: StatementSync;
  readonly #pruneOld: StatementSync;
  readonly #pruneMany: StatementSync;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare("INSERT INTO plugin_events (time_ms, plugin, type, details) VALUES (?, ?, ?, ?)");
    const remove = "DELETE FROM plugin_events WHERE id IN (SELECT id FROM plugin_events";
    this.#pruneOld = db.prepare(`${remove} WHERE time_ms < ? ORDER BY time_ms LIMIT ${PRUNE_ROWS})`);
    this.#pruneMany = db.prepare(
      `${remove} WHERE id <= (SELECT id FROM plugin_events ORDER BY id DESC LIMIT 1 OFFSET ?) ORDER BY id LIMIT ${PRUNE_ROWS})`,
    );
  }

  /** @returns its number */
  add({ timeMs, plugin, type, details }: NewEvent): number {
    return Number(this.#insert.run(timeMs, plugin, type, details).lastInsertRowid);
  }

  /** @returns how many were removed; there may be more as long as it is not 0 */
  prune(beforeMs: number, maxRows: number): number {
    const old = Number(this.#pruneOld.run(beforeMs).changes);
    return old + Number(this.#pruneMany.run(maxRows).changes);
  }
}
