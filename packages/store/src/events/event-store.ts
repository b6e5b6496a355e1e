import type { DatabaseSync, StatementSync } from "node:sqlite";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { toHubError } from "../writer/thread.ts";
import type { WriteQueue } from "../writer/write-queue.ts";
import { boundDetails, type JsonObject, readDetails } from "./details.ts";

const DEFAULT_QUERY_EVENTS = 1_000;
const MAX_QUERY_EVENTS = 10_000;
/** A page fits into a message, whatever its details become on the wire, and holds up nobody. */
const PAGE_EVENTS = 1_000;
const PAGE_CHARACTERS = 1_024 * 1_024;

/** Something that happened to a plugin. */
export interface PluginEventInput {
  /** The id in the config, or "hub". */
  readonly plugin: string;
  /** started, ready, crashed, stopped … */
  readonly type: string;
  readonly details?: JsonObject | undefined;
  /** Epoch milliseconds. Default: now. */
  readonly timeMs?: number | undefined;
}

/** As it was recorded. */
export interface RecordedEvent {
  /** Grows with every event; never used twice. */
  readonly id: number;
  readonly timeMs: number;
  readonly plugin: string;
  readonly type: string;
  readonly details: JsonObject;
}

export interface EventQuery {
  /** Empty or absent: all. */
  readonly plugin?: string | undefined;
  readonly type?: string | undefined;
  /** Only events from this time on, epoch milliseconds. */
  readonly sinceMs?: number | undefined;
  /** The latest ones. 1 000 where it is 0 or absent, never more than 10 000. */
  readonly limit?: number | undefined;
}

/** Some of them, oldest first. */
export interface EventPage {
  readonly events: readonly RecordedEvent[];
  /** There are no more for now. */
  readonly isEnd: boolean;
}

export interface EventPageQuery extends Omit<EventQuery, "limit"> {
  /** Only events with a greater number. */
  readonly after: number;
  /** Only events up to this number. */
  readonly upTo?: number | undefined;
}

export interface EventStoreParts {
  readonly db: DatabaseSync;
  readonly queue: WriteQueue;
  readonly nowMs: () => number;
  readonly guard: <T>(read: () => T) => T;
}

/** What happened to plugins, in the order in which it was recorded. */
export class EventStore {
  readonly #parts: EventStoreParts;
  readonly #queries = new Map<string, StatementSync>();
  readonly #followers = new Set<(event: RecordedEvent) => void>();

  constructor(parts: EventStoreParts) {
    this.#parts = parts;
  }

  /** Resolves when it is on disk. @throws {HubError} where it could not be recorded */
  record(input: PluginEventInput): Promise<RecordedEvent> {
    return new Promise((resolve, reject) => {
      const timeMs = Math.round(input.timeMs ?? this.#parts.nowMs());
      const { plugin, type } = input;
      if (plugin === "" || type === "" || !Number.isSafeInteger(timeMs)) {
        throw new HubError(ErrorCode.InvalidArgument, "An event needs a plugin, a type and a time");
      }
      const details = writeDetails(input.details ?? {});
      this.#parts.queue.addEvent({ timeMs, plugin, type, details }, (result) => {
        if (typeof result !== "number") {
          reject(toHubError(result));
          return;
        }
        const event = { id: result, timeMs, plugin, type, details: JSON.parse(details) as JsonObject };
        for (const follower of [...this.#followers]) follower(event);
        resolve(event);
      });
    });
  }

  /** The latest that match, oldest first. For many of them, or large ones, see `page`. */
  query({ limit = 0, ...query }: EventQuery = {}): RecordedEvent[] {
    const { where, values } = conditions(query);
    const sql = `${SELECT} ${where} ORDER BY id DESC LIMIT ?`;
    const rows = this.#parts.guard(() => this.#prepared(sql).all(...values, countOf(limit)));
    return rows.reverse().map(toEvent);
  }

  /** @returns where `page` begins to tell the latest that match, and the number of the last event of all */
  span({ limit = 0, ...query }: EventQuery): { readonly after: number; readonly upTo: number } {
    const { where, values } = conditions(query);
    const sql = `SELECT min(id) AS first, (SELECT coalesce(max(id), 0) FROM plugin_events) AS last
      FROM (SELECT id FROM plugin_events ${where} ORDER BY id DESC LIMIT ?)`;
    return this.#parts.guard(() => {
      const { first, last } = this.#prepared(sql).get(...values, countOf(limit)) as {
        first: number | null;
        last: number;
      };
      return { after: first === null ? last : first - 1, upTo: last };
    });
  }

  /** The next ones that match. Whoever follows asks again when there are more; nothing has to be kept for it meanwhile. */
  page(query: EventPageQuery): EventPage {
    const { where, values } = conditions(query);
    const sql = `${SELECT} ${where} ORDER BY id LIMIT ${PAGE_EVENTS + 1}`;
    return this.#parts.guard(() => {
      const events: RecordedEvent[] = [];
      let characters = 0;
      for (const row of this.#prepared(sql).iterate(...values)) {
        characters += (row["details"] as string).length;
        if (events.length === PAGE_EVENTS || (events.length > 0 && characters > PAGE_CHARACTERS)) {
          return { events, isEnd: false };
        }
        events.push(toEvent(row));
      }
      return { events, isEnd: true };
    });
  }

  /** Calls `follower` for each event once it is on disk. It must not throw. @returns the function that ends it */
  follow(follower: (event: RecordedEvent) => void): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#queries.get(sql);
    if (statement === undefined) {
      statement = this.#parts.db.prepare(sql);
      this.#queries.set(sql, statement);
    }
    return statement;
  }
}

const SELECT = "SELECT id, time_ms, plugin, type, details FROM plugin_events";

function countOf(limit: number): number {
  return Math.min(limit > 0 ? Math.ceil(limit) : DEFAULT_QUERY_EVENTS, MAX_QUERY_EVENTS);
}

function conditions({ plugin = "", type = "", sinceMs = 0, after = 0, upTo = 0 }: Partial<EventPageQuery>) {
  const all: string[] = [];
  const values: (string | number)[] = [];
  const add = (condition: string, value: string | number, isAsked: boolean) => {
    if (!isAsked) return;
    all.push(condition);
    values.push(value);
  };
  add("plugin = ?", plugin, plugin !== "");
  add("type = ?", type, type !== "");
  add("time_ms >= ?", sinceMs, sinceMs > 0);
  add("id > ?", after, after > 0);
  add("id <= ?", upTo, upTo > 0);
  return { where: all.length === 0 ? "" : `WHERE ${all.join(" AND ")}`, values };
}

function toEvent(row: Record<string, unknown>): RecordedEvent {
  return {
    id: row["id"] as number,
    timeMs: row["time_ms"] as number,
    plugin: row["plugin"] as string,
    type: row["type"] as string,
    details: readDetails(row["details"] as string),
  };
}

/** @throws {HubError} `INVALID_ARGUMENT` for what is no JSON */
function writeDetails(details: JsonObject): string {
  try {
    return boundDetails(JSON.stringify(details));
  } catch (error) {
    const what = `The details of an event are no JSON: ${(error as Error).message}`;
    throw new HubError(ErrorCode.InvalidArgument, what, { cause: error });
  }
}
