/**
 * Notices a peer that is gone without a sign: asks after one silent interval, gives up after a second. One timer per link. Time in
 * which this process stood still, or the whole machine, is nobody's silence.
 */
export class KeepAlive {
  #heard = true;
  #asked = false;
  #stopped = false;
  #lookedAtMs = Date.now();
  readonly #timer: NodeJS.Timeout;

  constructor(intervalMs: number, ask: () => void, giveUp: () => void) {
    this.#timer = setInterval(() => {
      const nowMs = Date.now();
      const isLate = nowMs - this.#lookedAtMs > 1.5 * intervalMs;
      this.#lookedAtMs = nowMs;
      if (this.#heard) {
        this.#heard = false;
        this.#asked = false;
      } else if (!this.#asked) {
        this.#asked = true;
        ask();
      } else if (!isLate) {
        // Where this process was busy, what the peer sent meanwhile is still to be read: timers come first. Where a look is late,
        // the peer may have had no more time to answer than this process had, and gets another interval.
        setImmediate(() => {
          if (!this.#heard && !this.#stopped) giveUp();
        });
      }
    }, intervalMs);
    this.#timer.unref();
  }

  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }
}
