import type { JsonObject } from "./json.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** One line of the log, as it is kept and sent to followers. */
export interface LogEntry {
  /** Epoch milliseconds. */
  readonly timeMs: number;
  /** A plugin's config id, or "hub". */
  readonly source: string;
  readonly level: LogLevel;
  /** Without a line break. */
  readonly text: string;
  readonly fields: JsonObject | undefined;
}

/** How many lines are kept for operators who look later. At the longest line this is bounded by KEPT_BYTES too. */
const KEPT_LINES = 5_000;
const KEPT_BYTES = 4 * 1024 * 1024;

/** The hub's log: keeps the last lines and hands each one to whoever follows. Never throws, never waits. */
export class HubLog {
  #entries: LogEntry[] = [];
  #bytes = 0;
  readonly #followers = new Set<(entry: LogEntry) => void>();

  write(level: LogLevel, source: string, text: string, fields?: JsonObject): void {
    const entry: LogEntry = { timeMs: Date.now(), source, level, text, fields };
    this.#entries.push(entry);
    this.#bytes += text.length;
    if (this.#entries.length > KEPT_LINES || this.#bytes > KEPT_BYTES) this.#trim();
    for (const follower of this.#followers) {
      try {
        follower(entry);
      } catch {
        // A follower that fails loses the line; the hub goes on.
      }
    }
  }

  /** The last `count` lines of a source, or of all, oldest first. */
  tail(count: number, source = ""): LogEntry[] {
    const entries = source === "" ? this.#entries : this.#entries.filter((entry) => entry.source === source);
    return entries.slice(-count);
  }

  /** @returns the function that ends it */
  follow(follower: (entry: LogEntry) => void): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  /** Drops a tenth at once, so that a busy log does not shift its array for every line. */
  #trim(): void {
    let drop = Math.ceil(KEPT_LINES / 10);
    let left = this.#bytes;
    for (let index = 0; index < this.#entries.length; index += 1) {
      if (index >= drop && left <= KEPT_BYTES) break;
      left -= this.#entries[index]!.text.length;
      drop = Math.max(drop, index + 1);
    }
    this.#entries = this.#entries.slice(drop);
    this.#bytes = left;
  }
}
