import { platform } from "./platform.ts";

/** Something that has to be over by a certain time. */
export interface Timed {
  /** Epoch milliseconds, or `Infinity`. */
  readonly deadlineMs: number;
  /** Its time has come, and it is not looked after any more. */
  expired(): void;
}

/** Longest delay that a timer can hold. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Looks after the deadlines of any number of calls with one timer, set for the one that comes first. Calls nearly always end
 * long before their time, so that neither their coming nor their going costs more than an entry in a set.
 */
export class Deadlines {
  readonly #pending = new Set<Timed>();
  #timer: unknown;
  /** When the timer comes, in epoch milliseconds. */
  #wakeMs = Number.POSITIVE_INFINITY;

  add(timed: Timed): void {
    if (timed.deadlineMs === Number.POSITIVE_INFINITY) return;
    this.#pending.add(timed);
    if (timed.deadlineMs < this.#wakeMs) this.#wakeAt(timed.deadlineMs);
  }

  /** The timer stays as it is: the next call will need it as well. */
  delete(timed: Timed): void {
    this.#pending.delete(timed);
  }

  #wakeAt(timeMs: number): void {
    if (this.#timer !== undefined) platform.clearTimeout(this.#timer);
    this.#wakeMs = timeMs;
    const delayMs = Math.min(Math.max(timeMs - Date.now(), 0), MAX_TIMER_MS);
    const timer = platform.setTimeout(() => this.#wake(), delayMs);
    // A call is waited for by whoever made it and by its link; that it has a deadline keeps no process alive.
    (timer as { unref?(): void }).unref?.();
    this.#timer = timer;
  }

  #wake(): void {
    this.#wakeMs = Number.POSITIVE_INFINITY;
    const now = Date.now();
    let next = Number.POSITIVE_INFINITY;
    for (const timed of [...this.#pending]) {
      if (timed.deadlineMs > now) next = Math.min(next, timed.deadlineMs);
      else if (this.#pending.delete(timed)) timed.expired();
    }
    if (next < this.#wakeMs) this.#wakeAt(next);
  }
}
