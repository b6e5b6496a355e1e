import type { LifeEnd } from "./plugin-instance.ts";

/** When and how often a plugin that ended by itself is started again. */
export interface RestartPolicy {
  /** `on-failure` leaves a plugin alone that exited with code 0. */
  readonly when: "always" | "on-failure" | "never";
  /** Delays before the 1st, 2nd … restart in milliseconds; the last one repeats. */
  readonly delaysMs: readonly number[];
  /** More crashes than this within `windowMs` and the plugin is `failed` until an operator starts or resets it. */
  readonly maxCrashes: number;
  readonly windowMs: number;
  /** A plugin that was ready for so long before it crashed has a clean record again. */
  readonly stableMs: number;
  /** Share of the delay that is random, 0 to 1: many plugins that died of one cause do not come back at one moment. */
  readonly jitter: number;
}

/** 1, 2, 4, 8, 16 s; more than 10 crashes in 10 minutes is a plugin that will not get well by itself. */
export const DEFAULT_RESTART: RestartPolicy = {
  when: "on-failure",
  delaysMs: [1_000, 2_000, 4_000, 8_000, 16_000],
  maxCrashes: 10,
  windowMs: 600_000,
  stableMs: 60_000,
  jitter: 0.2,
};

/** Remembers crashes and says how long to wait. Times come in as arguments, so tests need no clock. */
export class Backoff {
  readonly #policy: RestartPolicy;
  readonly #random: () => number;
  #crashes: number[] = [];
  #shortages = 0;

  constructor(policy: RestartPolicy, random: () => number = Math.random) {
    this.#policy = policy;
    this.#random = random;
  }

  /** Crashes that count now. */
  crashes(nowMs: number): number {
    return this.#crashes.filter((at) => nowMs - at < this.#policy.windowMs).length;
  }

  /**
   * Counts a crash.
   * @param readyMs how long the plugin had been ready, 0 if it never was
   * @returns milliseconds to wait, or undefined to give up
   */
  next(nowMs: number, readyMs: number): number | undefined {
    const { windowMs, stableMs, maxCrashes } = this.#policy;
    this.#shortages = 0;
    this.#crashes = readyMs >= stableMs ? [] : this.#crashes.filter((at) => nowMs - at < windowMs);
    this.#crashes.push(nowMs);
    if (this.#crashes.length > maxCrashes) return undefined;
    return this.#delay(this.#crashes.length);
  }

  /** Nothing was there to start it with. That is no crash of the plugin's, and it is tried again until it works. */
  shortage(): number | "give-up" {
    this.#shortages += 1;
    return this.#policy.when === "never" ? "give-up" : this.#delay(this.#shortages);
  }

  #delay(count: number): number {
    const { delaysMs, jitter } = this.#policy;
    const base = delaysMs[Math.min(count, delaysMs.length) - 1] ?? 0;
    return base * (1 - jitter * this.#random());
  }

  /**
   * Decides by the strategy, and counts the end if it was a crash.
   * @param isHopeless no second try can mend it
   * @returns milliseconds to wait before the next try, or that there is none
   */
  after(end: LifeEnd, isHopeless: boolean, nowMs: number): number | "stay" | "give-up" {
    const { when } = this.#policy;
    if (end.clean && when !== "always") return "stay";
    const delayMs = this.next(nowMs, end.readyMs);
    return when === "never" || delayMs === undefined || isHopeless ? "give-up" : delayMs;
  }

  /** Forgets everything: an operator asked for a start. */
  reset(): void {
    this.#shortages = 0;
    this.#crashes = [];
  }
}
