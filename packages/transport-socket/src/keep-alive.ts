/** Notices a peer that is gone without a sign: asks after one silent interval, gives up after a second. One timer per link. */
export class KeepAlive {
  #heard = true;
  #asked = false;
  #stopped = false;
  readonly #timer: NodeJS.Timeout;

  constructor(intervalMs: number, ask: () => void, giveUp: () => void) {
    this.#timer = setInterval(() => {
      if (this.#heard) {
        this.#heard = false;
        this.#asked = false;
      } else if (!this.#asked) {
        this.#asked = true;
        ask();
      } else {
        // Where this process was stopped or busy for long, what the peer sent meanwhile is still to be read: timers come first.
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
