import type { Machine } from "./machine.ts";
import type { Result } from "./suite.ts";

/** A result, and which suite to run again for another look. */
export interface SuiteResult extends Result {
  readonly suite: string;
}

/** What `--json` writes. */
export interface ResultFile {
  readonly results: readonly SuiteResult[];
  /** Suites of which nothing is known. */
  readonly failures: readonly { readonly suite: string; readonly error: string }[];
  readonly machine: Machine;
}
