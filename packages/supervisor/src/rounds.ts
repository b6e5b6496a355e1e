/** Something that is looked after again and again. */
export interface Round {
  /** Milliseconds from one look to the next. */
  readonly intervalMs: number;
  /** @param nowMs `performance.now()`; must not throw */
  run(nowMs: number): void;
}

/**
 * Looks after everything that wants a regular look, with one timer for all. Rounds of one interval fall on the same moment, so
 * that a hundred plugins wake the processor once and not a hundred times. The timer keeps no process alive, and runs only while
 * there is something to look after.
 */
export class Rounds {
  readonly #due = new Map<Round, number>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  /** @returns the function that ends it; repeatable */
  add(round: Round): () => void {
    this.#due.set(round, next(round, performance.now()));
    this.#arm();
    return () => {
      this.#due.delete(round);
      if (this.#due.size === 0) this.#disarm();
    };
  }

  #arm(): void {
    const at = Math.min(...this.#due.values());
    if (at >= this.#timerAt) return;
    this.#disarm();
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#turn(), Math.max(0, at - performance.now()));
    this.#timer.unref();
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #turn(): void {
    this.#disarm();
    const now = performance.now();
    for (const [round, at] of [...this.#due]) {
      // Timers may fire a little early; and one round may have ended another.
      if (at > now + 1 || !this.#due.has(round)) continue;
      this.#due.set(round, next(round, now + 1));
      round.run(now);
    }
    if (this.#due.size > 0) this.#arm();
  }
}

/** The next multiple of the interval. After a pause of the machine there is one round, not all that were missed. */
function next({ intervalMs }: Round, nowMs: number): number {
  return (Math.floor(nowMs / intervalMs) + 1) * intervalMs;
}
