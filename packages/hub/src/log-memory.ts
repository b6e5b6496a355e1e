import type { LogEntry } from "./hub-log.ts";

/** Bytes of all kept lines together. With the cost of a line added to its text, about 8 000 short ones. */
const KEPT_COST = 4 * 1024 * 1024;
/** What a line costs beside its text. */
const LINE_COST = 512;

/**
 * The last lines of the log. When they are too many, the sources that wrote most lose their oldest ones first, so that one that
 * floods the log does not take away what the others said.
 */
export class LogMemory {
  #entries: LogEntry[] = [];
  #costs: number[] = [];
  #cost = 0;

  push(entry: LogEntry): void {
    const fields = entry.fields === undefined ? 0 : JSON.stringify(entry.fields).length;
    const cost = LINE_COST + Buffer.byteLength(entry.text) + fields;
    this.#entries.push(entry);
    this.#costs.push(cost);
    this.#cost += cost;
    if (this.#cost > KEPT_COST) this.#trim();
  }

  /** The last `count` lines of a source, or of all with "", oldest first. */
  tail(count: number, source: string): LogEntry[] {
    const entries = source === "" ? this.#entries : this.#entries.filter((entry) => entry.source === source);
    return count <= 0 ? [] : entries.slice(-count);
  }

  /** Frees a tenth at once, so that a busy log is not gone through for every line. */
  #trim(): void {
    const costs = new Map<string, number>();
    for (const [index, { source }] of this.#entries.entries()) {
      costs.set(source, (costs.get(source) ?? 0) + this.#costs[index]!);
    }
    const share = fairShare([...costs.values()], KEPT_COST * 0.9);
    const kept = new Map<string, number>();
    const entries: LogEntry[] = [];
    this.#cost = 0;
    const keptCosts: number[] = [];
    for (let index = this.#entries.length - 1; index >= 0; index -= 1) {
      const entry = this.#entries[index]!;
      const cost = this.#costs[index]!;
      const total = (kept.get(entry.source) ?? 0) + cost;
      kept.set(entry.source, total);
      if (total > share) continue;
      entries.push(entry);
      keptCosts.push(cost);
      this.#cost += cost;
    }
    this.#entries = entries.reverse();
    this.#costs = keptCosts.reverse();
  }
}

/** The largest share such that all amounts, each cut down to it, are `total` at most. */
export function fairShare(amounts: readonly number[], total: number): number {
  let left = total;
  const sorted = [...amounts].sort((a, b) => a - b);
  for (const [index, amount] of sorted.entries()) {
    const share = left / (sorted.length - index);
    if (amount > share) return share;
    left -= amount;
  }
  return Number.POSITIVE_INFINITY;
}
