import { clearTimeout, setTimeout } from "node:timers";

/** Longest wait, at a graceful close, for the acknowledgement of what was sent last. */
const LAST_ACK_MS = 1_000;

/** The time limits of a graceful close. */
export class Farewell {
  readonly #over: () => void;
  #grace: NodeJS.Timeout | undefined;
  #graceEndsMs = Number.POSITIVE_INFINITY;
  #lastAck: NodeJS.Timeout | undefined;

  /** @param over closes the link, whatever is still open */
  constructor(over: () => void) {
    this.#over = over;
  }

  /** Open calls have so long; the shortest time that was set counts. */
  allow(graceMs: number): void {
    const endsMs = Date.now() + graceMs;
    if (endsMs >= this.#graceEndsMs) return;
    this.#graceEndsMs = endsMs;
    clearTimeout(this.#grace);
    this.#grace = setTimeout(this.#over, graceMs);
  }

  /** No call is open any more, but the peer may not have the last answers. @returns whether this is the first word of it */
  awaitLastAck(): boolean {
    if (this.#lastAck !== undefined) return false;
    this.#lastAck = setTimeout(this.#over, LAST_ACK_MS);
    return true;
  }

  stop(): void {
    clearTimeout(this.#grace);
    clearTimeout(this.#lastAck);
  }
}
