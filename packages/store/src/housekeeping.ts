import { HubError } from "@orchestrator/protocol";
import type { Expired } from "./writer/messages.ts";
import type { WriterThread } from "./writer/thread.ts";

/** How long events are kept. */
export interface Retention {
  readonly maxAgeMs: number;
  readonly maxEvents: number;
}

export const DEFAULT_RETENTION: Retention = { maxAgeMs: 7 * 86_400_000, maxEvents: 100_000 };

/** Events are looked through this often; a burst in between is small beside the limit. */
const PRUNE_EVERY_MS = 600_000;
/** Sweeps are at least this far apart, so that entries that expire one by one share a transaction. */
const SWEEP_PAUSE_MS = 250;
/** After a failure, such as a full disk. */
const RETRY_MS = 5_000;
/** The longest that a timer of Node can wait is 24.8 days. */
const LONGEST_TIMER_MS = 86_400_000;

export interface HousekeepingParts {
  readonly thread: WriterThread;
  readonly nowMs: () => number;
  readonly retention: Partial<Retention>;
  readonly onExpired: (expired: readonly Expired[]) => void;
  readonly onProblem: (error: HubError) => void;
}

/** Removes what has expired and what is too old, in the background and in small transactions. */
export class Housekeeping {
  readonly #parts: HousekeepingParts;
  readonly #retention: Retention;
  #sweepTimer: NodeJS.Timeout | undefined;
  #pruneTimer: NodeJS.Timeout | undefined;
  /** When the sweep is due; Infinity when nothing expires. */
  #sweepAtMs = Number.POSITIVE_INFINITY;
  #isStopped = false;

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
    this.#retention = { ...DEFAULT_RETENTION, ...parts.retention };
  }

  start(): void {
    const { nextExpiryMs } = this.#parts.thread;
    if (nextExpiryMs > 0) this.expiryAt(nextExpiryMs);
    this.#background(() => this.#prune());
    this.#pruneTimer = setInterval(() => this.#background(() => this.#prune()), PRUNE_EVERY_MS);
    this.#pruneTimer.unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#sweepTimer);
    clearInterval(this.#pruneTimer);
  }

  /** An entry will expire then, epoch milliseconds. */
  expiryAt(atMs: number): void {
    if (atMs >= this.#sweepAtMs || this.#isStopped) return;
    this.#sweepAtMs = atMs;
    clearTimeout(this.#sweepTimer);
    const waitMs = Math.min(Math.max(atMs - this.#parts.nowMs(), SWEEP_PAUSE_MS), LONGEST_TIMER_MS);
    this.#sweepTimer = setTimeout(() => this.#background(() => this.#sweep()), waitMs);
    this.#sweepTimer.unref();
  }

  /** Everything that is due, now. @throws {HubError} */
  async run(): Promise<void> {
    await this.#sweep();
    await this.#prune();
  }

  async #sweep(): Promise<void> {
    this.#sweepAtMs = Number.POSITIVE_INFINITY;
    for (;;) {
      const { expired, nextMs } = await this.#parts.thread.run({ kind: "sweep", nowMs: this.#parts.nowMs() });
      this.#parts.onExpired(expired);
      if (nextMs > 0 && nextMs <= this.#parts.nowMs() && expired.length > 0) continue;
      if (nextMs > 0) this.expiryAt(nextMs);
      return;
    }
  }

  async #prune(): Promise<void> {
    const { maxAgeMs, maxEvents } = this.#retention;
    const beforeMs = this.#parts.nowMs() - maxAgeMs;
    while (!this.#isStopped) {
      if ((await this.#parts.thread.run({ kind: "prune", beforeMs, maxRows: maxEvents })) === 0) return;
    }
  }

  #background(work: () => Promise<void>): void {
    work().catch((reason: unknown) => {
      if (this.#isStopped) return;
      this.#parts.onProblem(HubError.from(reason));
      this.expiryAt(this.#parts.nowMs() + RETRY_MS);
    });
  }
}
