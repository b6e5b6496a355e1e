import { FloodGate, type FloodLimits } from "./flood-gate.ts";
import type { JsonObject } from "./json.ts";
import { LogMemory } from "./log-memory.ts";
import { printable, shortened } from "./printable.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** One line of the log, as it is kept and sent to followers. */
export interface LogEntry {
  /** Epoch milliseconds. */
  readonly timeMs: number;
  /** A plugin's config id, or "hub". */
  readonly source: string;
  readonly level: LogLevel;
  /** Without a line break or another control character: those are written out, as `\n`. */
  readonly text: string;
  readonly fields: JsonObject | undefined;
}

/** A plugin that starts, or fails, may say a lot at once; one that goes on like that is not read by anybody. */
const DEFAULT_LIMITS: FloodLimits = {
  burstLines: 1_000,
  burstLength: 1024 * 1024,
  linesPerSecond: 200,
  lengthPerSecond: 128 * 1024,
};
/** What the hub says about one peer: all of it is alike, and a few lines say as much as a thousand. */
const ABOUT_LIMITS: FloodLimits = {
  burstLines: 100,
  burstLength: 128 * 1024,
  linesPerSecond: 10,
  lengthPerSecond: 16 * 1024,
};
const MAX_LINE_LENGTH = 16 * 1024;
/** What was held back is told this much later, with the last lines of it. */
const SUMMARY_MS = 1_000;
/** Of lines that were held back, so many are shown after all: the end of a flood mostly says why it ended. */
const LAST_LINES = 10;

export interface HubLogOptions {
  /** For each source by itself. */
  readonly limits?: Partial<FloodLimits>;
  /** Default 1 000. */
  readonly summaryMs?: number;
}

/** What was held back of one source, and who said it. */
interface Held {
  readonly gate: FloodGate;
  readonly source: string;
  last: LogEntry[];
}

/**
 * The hub's log: keeps the last lines and hands each one to whoever follows. Never throws, never waits. A source that floods it is
 * held back, and how much of it is missing stands in the log.
 */
export class HubLog {
  readonly #memory = new LogMemory();
  readonly #followers = new Set<(entry: LogEntry) => void>();
  readonly #gate: FloodGate;
  readonly #aboutGate: FloodGate;
  readonly #summaryMs: number;
  readonly #held = new Map<string, Held>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HubLogOptions = {}) {
    this.#gate = new FloodGate({ ...DEFAULT_LIMITS, ...options.limits });
    this.#aboutGate = new FloodGate({ ...ABOUT_LIMITS, ...options.limits });
    this.#summaryMs = options.summaryMs ?? SUMMARY_MS;
  }

  write(level: LogLevel, source: string, text: string, fields?: JsonObject): void {
    this.writeAbout(source, level, source, text, fields);
  }

  /**
   * A line that a peer can cause as often as it likes. It counts for that peer: whoever makes the hub complain does not keep
   * other lines of the hub out of its log.
   */
  writeAbout(peer: string, level: LogLevel, source: string, text: string, fields?: JsonObject): void {
    const entry = { timeMs: Date.now(), source, level, text: printable(shortened(text, MAX_LINE_LENGTH)), fields };
    // A hub that speaks of a plugin, and the plugin itself, are two.
    const [gate, key] = peer === source ? [this.#gate, source] : [this.#aboutGate, `${source}\u0000${peer}`];
    // None overtakes those that are held: what a source said last stands last.
    const isHeld = this.#held.has(key);
    if (isHeld) gate.refuse(key);
    if (!isHeld && gate.admits(key, entry.text.length, performance.now())) this.#add(entry);
    else this.#hold(gate, key, entry);
  }

  /** The last `count` lines of a source, or of all, oldest first. */
  tail(count: number, source = ""): LogEntry[] {
    return this.#memory.tail(count, source);
  }

  /** @returns the function that ends it */
  follow(follower: (entry: LogEntry) => void): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  #add(entry: LogEntry): void {
    this.#memory.push(entry);
    for (const follower of this.#followers) {
      try {
        follower(entry);
      } catch {
        // A follower that fails loses the line; the hub goes on.
      }
    }
  }

  #hold(gate: FloodGate, key: string, entry: LogEntry): void {
    const held = this.#held.get(key) ?? { gate, source: entry.source, last: [] };
    this.#held.set(key, held);
    held.last.push(entry);
    if (held.last.length >= 2 * LAST_LINES) held.last = held.last.slice(-LAST_LINES);
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#summarize(), this.#summaryMs);
    this.#timer.unref();
  }

  #summarize(): void {
    this.#timer = undefined;
    for (const [key, { gate, source, last }] of this.#held) {
      const shown = last.slice(-LAST_LINES);
      const missing = gate.takeSuppressed(key) - shown.length;
      const text = `… suppressed ${missing} lines that came too fast`;
      if (missing > 0) this.#add({ timeMs: shown[0]!.timeMs, source, level: "warn", text, fields: undefined });
      for (const entry of shown) this.#add(entry);
    }
    this.#held.clear();
  }
}
