import type { Round } from "./rounds.ts";

/** What is known of a plugin's work. */
export interface Activity {
  /** Something is under way: a call, a stream, a subscription. */
  readonly isBusy: boolean;
  /** Grows with every call. */
  readonly total: number;
}

/** Notices when a plugin has had nothing to do for a while. */
export class IdleCheck implements Round {
  readonly intervalMs: number;
  readonly #idleMs: number;
  readonly #activity: () => Activity;
  readonly #onIdle: () => void;
  #total: number;
  #busyAt: number;

  constructor(idleMs: number, activity: () => Activity, onIdle: () => void) {
    this.#idleMs = idleMs;
    this.#activity = activity;
    this.#onIdle = onIdle;
    // Noticed at most a quarter of the time late, and never more often than it is worth.
    this.intervalMs = Math.min(15_000, Math.max(10, idleMs / 4));
    this.#total = activity().total;
    this.#busyAt = performance.now();
  }

  run(nowMs: number): void {
    const { isBusy, total } = this.#activity();
    if (isBusy || total !== this.#total) {
      this.#total = total;
      this.#busyAt = nowMs;
    } else if (nowMs - this.#busyAt >= this.#idleMs) this.#onIdle();
  }
}
