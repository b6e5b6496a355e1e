import { setTimeout as sleep } from "node:timers/promises";

export interface BackoffOptions {
  /** Before the first attempt. Default 200 ms: a hub that is restarted is back within a second. */
  readonly firstMs?: number;
  /** The longest. Default 5 s: nobody should wait long for a hub that is there. */
  readonly maxMs?: number;
}

/** Delays that double, with a quarter of chance in them so that many clients do not come back as one. */
export class Backoff {
  readonly #maxMs: number;
  #nextMs: number;

  constructor({ firstMs = 200, maxMs = 5_000 }: BackoffOptions = {}) {
    this.#nextMs = firstMs;
    this.#maxMs = maxMs;
  }

  /** How long the next wait is, about. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** Rejects when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    const delayMs = this.#nextMs * (0.75 + Math.random() / 4);
    this.#nextMs = Math.min(this.#nextMs * 2, this.#maxMs);
    await sleep(delayMs, undefined, { signal, ref: false });
  }
}
