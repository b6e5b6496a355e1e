import type { KeyedMutex } from "./store/mutex.ts";

/** What the tools need from outside; tests pass their own. */
export interface Services {
  /** Epoch milliseconds. */
  now(): number;
  /** An integer from 0 up to, not including, `limit`. */
  random(limit: number): number;
  readonly mutex: KeyedMutex;
  /** The first pause after a conflict; it doubles, with jitter, up to 16 times this. */
  readonly conflictPauseMs: number;
}
