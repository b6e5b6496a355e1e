/** Notices a peer that is gone without a sign: asks after one silent interval, gives up after a second. One timer per link. */
export class KeepAlive {
  #heard = true;
  #asked = false;
  readonly #timer: NodeJS.Timeout;

  constructor(intervalMs: number, ask: () => void, giveUp: () => void) {
    this.#timer = setInterval(() => {
      if (this.#heard) {
        this.#heard = false;
        this.#asked = false;
      } else if (this.#asked) giveUp();
      else {
        this.#asked = true;
        ask();
      }
    }, intervalMs);
    this.#timer.unref();
  }

  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
