import type { Call } from "./call.ts";

/** Calls that are over, of which the peer has not ended its direction yet; each has the same time to do so. */
export class LingeringCalls {
  /** When each is due, in epoch milliseconds; oldest first. */
  readonly #due = new Map<Call, number>();
  readonly #lingerMs: number;

  constructor(lingerMs: number) {
    this.#lingerMs = lingerMs;
  }

  get size(): number {
    return this.#due.size;
  }

  /** When the oldest is due; infinite where there is none. */
  get dueMs(): number {
    for (const dueMs of this.#due.values()) return dueMs;
    return Number.POSITIVE_INFINITY;
  }

  add(call: Call): void {
    this.#due.set(call, Date.now() + this.#lingerMs);
  }

  /** @returns whether it was one of them */
  delete(call: Call): boolean {
    return this.#due.delete(call);
  }

  clear(): void {
    this.#due.clear();
  }

  /** The oldest, if it is due or there are more than `most`; it is one of them no more. */
  takeDue(nowMs: number, most: number): Call | undefined {
    for (const [call, dueMs] of this.#due) {
      if (dueMs > nowMs && this.#due.size <= most) return undefined;
      this.#due.delete(call);
      return call;
    }
    return undefined;
  }
}
