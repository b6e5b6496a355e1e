/** Far above what the engine waits by itself where its idea of the round trip is right. */
const PATIENCE_MS = 100;
/** The engine's timers are rounded, and a little later than what was heard last. */
const SLACK_MS = 1_000;

/**
 * When to help the engine over a loss. quiche 0.18 dates packets by its pacer, whose clock runs behind or ahead of the real one
 * after losses; then round trips seem long, and what was lost is sent again after seconds, each of which makes the next wait
 * longer. Packets that are acknowledged at once end both: newer ones by three prove the loss, and they bring a true time.
 */
export class Impatience {
  readonly #idleMs: number;
  #heardMs: number;
  #dueMs = Number.POSITIVE_INFINITY;

  /** @param idleMs after which the engine gives up a silent connection */
  constructor(idleMs: number, nowMs: number) {
    this.#idleMs = idleMs;
    this.#heardMs = nowMs;
  }

  heard(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  /**
   * Something may have been sent. @param engineMs what the engine means to wait
   * @returns when to look, in epoch milliseconds; infinite where the engine is quick, or waits for nothing
   */
  sent(engineMs: number, nowMs: number): number {
    const idleInMs = this.#idleMs - (nowMs - this.#heardMs);
    const isWaiting = engineMs > PATIENCE_MS && engineMs < idleInMs - SLACK_MS;
    this.#dueMs = isWaiting ? nowMs + PATIENCE_MS : Number.POSITIVE_INFINITY;
    return this.#dueMs;
  }

  /** Nothing was heard for so long, and something should have been. */
  isDue(nowMs: number): boolean {
    return nowMs >= this.#dueMs && nowMs - this.#heardMs >= PATIENCE_MS;
  }
}
