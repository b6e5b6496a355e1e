import type { DatabaseSync, StatementSync } from "node:sqlite";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { toHubError } from "../writer/thread.ts";
import type { WriteQueue } from "../writer/write-queue.ts";

/** Longest details of one event; what is longer is kept out and said so. */
const MAX_DETAILS_CHARACTERS = 64 * 1_024;
const DEFAULT_QUERY_EVENTS = 1_000;
const MAX_QUERY_EVENTS = 10_000;

export type JsonObject = { readonly [key: string]: unknown };

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
      const details = toJson(input.details ?? {});
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

  /** The latest that match, oldest first. */
  query({ plugin = "", type = "", sinceMs = 0, limit = 0 }: EventQuery = {}): RecordedEvent[] {
    const conditions: string[] = [];
    const values: (string | number)[] = [];
    const where = (condition: string, value: string | number) => {
      conditions.push(condition);
      values.push(value);
    };
    if (plugin !== "") where("plugin = ?", plugin);
    if (type !== "") where("type = ?", type);
    if (sinceMs > 0) where("time_ms >= ?", sinceMs);
    const sql = `SELECT id, time_ms, plugin, type, details FROM plugin_events
      ${conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : ""} ORDER BY id DESC LIMIT ?`;
    const count = Math.min(limit || DEFAULT_QUERY_EVENTS, MAX_QUERY_EVENTS);
    const rows = this.#parts.guard(() => this.#prepared(sql).all(...values, count));
    return rows.reverse().map(toEvent);
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

function toEvent(row: Record<string, unknown>): RecordedEvent {
  return {
    id: row["id"] as number,
    timeMs: row["time_ms"] as number,
    plugin: row["plugin"] as string,
    type: row["type"] as string,
    details: parseDetails(row["details"] as string),
  };
}

/** Whatever stands in the file, an event can be shown. */
function parseDetails(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : { value };
  } catch {
    return { text };
  }
}

function toJson(details: JsonObject): string {
  let text: string;
  try {
    text = JSON.stringify(details);
  } catch (error) {
    const what = `The details of an event are no JSON: ${(error as Error).message}`;
    throw new HubError(ErrorCode.InvalidArgument, what, { cause: error });
  }
  if (text.length <= MAX_DETAILS_CHARACTERS) return text;
  return JSON.stringify({ omitted: `details of ${text.length} characters` });
}
