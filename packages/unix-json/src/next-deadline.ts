/** One timer for many deadlines: it is set for the nearest one, and what is over by then costs one look. */
export class NextDeadline {
  readonly #due: (nowMs: number) => number;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Number.POSITIVE_INFINITY;

  /** @param due is told the time of performance.now(), and returns when it wants to be told again, Infinity for never */
  constructor(due: (nowMs: number) => number) {
    this.#due = due;
  }

  add(atMs: number): void {
    if (atMs >= this.#atMs) return;
    clearTimeout(this.#timer);
    this.#atMs = atMs;
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, Math.ceil(atMs - performance.now())));
    // What waits for an answer has a connection, and that keeps a process alive; a deadline must not.
    this.#timer.unref();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#atMs = Number.POSITIVE_INFINITY;
  }

  #fire(): void {
    this.#atMs = Number.POSITIVE_INFINITY;
    this.add(this.#due(performance.now()));
  }
}
