/** When and how often a plugin that ended by itself is started again. */
export interface RestartPolicy {
  /** `on-failure` leaves a plugin alone that exited with code 0. */
  readonly when: "always" | "on-failure" | "never";
  /** Delays before the 1st, 2nd … restart in milliseconds; the last one repeats. */
  readonly delaysMs: readonly number[];
  /** More crashes than this within `windowMs` and the plugin is `failed` until an operator starts it again. */
  readonly maxCrashes: number;
  readonly windowMs: number;
  /** Share of the delay that is random, 0 to 1: many plugins that died of one cause do not come back at one moment. */
  readonly jitter: number;
}

/** 1, 2, 4, 8, 16 s; more than 10 crashes in 10 minutes is a plugin that will not get well by itself. */
export const DEFAULT_RESTART: RestartPolicy = {
  when: "on-failure",
  delaysMs: [1_000, 2_000, 4_000, 8_000, 16_000],
  maxCrashes: 10,
  windowMs: 600_000,
  jitter: 0.2,
};

/** A start that held this long counts as good: the next crash begins again with the shortest delay. */
const STABLE_MS = 60_000;

/** Remembers crashes and says how long to wait. Times come in as arguments, so tests need no clock. */
export class Backoff {
  readonly #policy: RestartPolicy;
  readonly #random: () => number;
  #crashes: number[] = [];
  #step = 0;

  constructor(policy: RestartPolicy, random: () => number = Math.random) {
    this.#policy = policy;
    this.#random = random;
  }

  /**
   * Counts a crash.
   * @param readyMs how long the plugin had been ready, 0 if it never was
   * @returns milliseconds to wait, or undefined to give up
   */
  next(nowMs: number, readyMs: number): number | undefined {
    if (readyMs >= STABLE_MS) this.#step = 0;
    this.#crashes = this.#crashes.filter((at) => nowMs - at < this.#policy.windowMs);
    this.#crashes.push(nowMs);
    if (this.#crashes.length > this.#policy.maxCrashes) return undefined;
    const delays = this.#policy.delaysMs;
    const base = delays[Math.min(this.#step, delays.length - 1)] ?? 0;
    this.#step += 1;
    return base * (1 - this.#policy.jitter * this.#random());
  }

  /** Forgets everything: an operator asked for a start. */
  reset(): void {
    this.#crashes = [];
    this.#step = 0;
  }
}
