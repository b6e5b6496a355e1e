import type { CircuitConfig } from "@orchestrator/config";

/** However often trials fail, the next one is let through after this long, unless the first one was to wait longer. */
export const MAX_COOL_DOWN_MS = 30_000;

/** `half-open`: one call is to find out, or is just finding out, whether there are proper answers again. */
export type CircuitState = "closed" | "open" | "half-open";

/**
 * Whether the calls of one caller to one plugin are worth making. So many in a row without a proper answer open it; after a
 * cool-down one call at a time is let through as a trial, and the first proper answer closes it. All times are those of one clock,
 * in milliseconds, and come from outside: nothing happens by itself.
 */
export class Circuit {
  /** For whom it is. */
  readonly caller: string;
  /** When the last proper answer came, or another sign of life. To be set with each; `answered` is due only after failures. */
  answeredAtMs = Number.NEGATIVE_INFINITY;
  readonly #settings: CircuitConfig;
  /** In a row. */
  #failures = 0;
  #lastFailure = "";
  /** 0 while it is closed. */
  #coolDownMs = 0;
  #retryAtMs = 0;
  /** The call that is let through while it is open. */
  #trial: object | undefined;

  constructor(caller: string, settings: CircuitConfig) {
    this.caller = caller;
    this.#settings = settings;
  }

  /** Calls in a row without a proper answer: as long as there are none, there is nothing else to look at. */
  get failures(): number {
    return this.#failures;
  }

  get isOpen(): boolean {
    return this.#coolDownMs > 0;
  }

  /** What went wrong last; "" after a proper answer. */
  get lastFailure(): string {
    return this.#lastFailure;
  }

  get isTrying(): boolean {
    return this.#trial !== undefined;
  }

  state(nowMs: number): CircuitState {
    if (!this.isOpen) return "closed";
    return this.isTrying || this.waitMs(nowMs) === 0 ? "half-open" : "open";
  }

  /** @returns after how long a call may be made; 0 for at once */
  waitMs(nowMs: number): number {
    return this.isOpen ? Math.max(0, this.#retryAtMs - nowMs) : 0;
  }

  /** A call is made while it is open: the trial. */
  begin(call: object, nowMs: number): void {
    if (!this.isOpen) return;
    this.#trial = call;
    // One that never ends must not keep all others out for good.
    this.#retryAtMs = nowMs + this.#maxCoolDownMs;
  }

  /** A call was given no proper answer. @returns true when that has opened it */
  failed(call: object, what: string, nowMs: number): boolean {
    if (this.#settings.failures === 0) return false;
    this.#failures += 1;
    this.#lastFailure = what;
    if (this.isOpen) {
      if (call === this.#trial) this.#coolDown(Math.min(2 * this.#coolDownMs, this.#maxCoolDownMs), nowMs);
      return false;
    }
    if (this.#failures < this.#settings.failures) return false;
    this.#coolDown(this.#settings.coolDownMs, nowMs);
    return true;
  }

  /** A call has ended in a way that tells nothing. Where it was the trial, the next call is. */
  left(call: object, nowMs: number): void {
    if (call !== this.#trial) return;
    this.#trial = undefined;
    this.#retryAtMs = nowMs;
  }

  /** A proper answer, or something else that makes good for all failures. @returns true when that has closed it */
  answered(): boolean {
    const wasOpen = this.isOpen;
    this.#failures = 0;
    this.#lastFailure = "";
    this.#coolDownMs = 0;
    this.#trial = undefined;
    return wasOpen;
  }

  #coolDown(ms: number, nowMs: number): void {
    this.#trial = undefined;
    this.#coolDownMs = ms;
    this.#retryAtMs = nowMs + ms;
  }

  get #maxCoolDownMs(): number {
    return Math.max(MAX_COOL_DOWN_MS, this.#settings.coolDownMs);
  }
}
