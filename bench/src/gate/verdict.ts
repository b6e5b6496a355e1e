import type { SuiteResult } from "../result-file.ts";
import type { Baseline, BaselineEntry } from "./baseline.ts";

/** A benchmark that has lost more than its margin. */
export interface Fall {
  readonly entry: BaselineEntry;
  readonly now: number;
}

export interface Verdict {
  readonly falls: readonly Fall[];
  /** In the baseline, but not measured: a benchmark that is gone guards nothing. */
  readonly missing: readonly BaselineEntry[];
  /** Measured, but not in the baseline. */
  readonly added: readonly SuiteResult[];
}

/** @param suites the suites that were run; entries of others are left alone */
export function judge(baseline: Baseline, results: readonly SuiteResult[], suites: ReadonlySet<string>): Verdict {
  const measured = new Map(results.map((result) => [result.name, result]));
  const entries = baseline.results.filter(({ suite }) => suites.has(suite));
  const known = new Set(entries.map(({ name }) => name));
  return {
    falls: entries.flatMap((entry) => {
      const now = measured.get(entry.name)?.ratio;
      // A ratio that is no number is a failure too.
      return now === undefined || now >= floorOf(entry) ? [] : [{ entry, now }];
    }),
    missing: entries.filter(({ name }) => !measured.has(name)),
    added: results.filter(({ name }) => !known.has(name)),
  };
}

/** The lowest ratio that passes. */
export function floorOf({ ratio, margin }: BaselineEntry): number {
  return ratio * (1 - margin);
}

/** Keeps the better of what was measured first and again: who shares the machine makes a benchmark slower, and none faster. */
export function merge(first: readonly SuiteResult[], again: readonly SuiteResult[]): SuiteResult[] {
  const newer = new Map(again.map((result) => [result.name, result]));
  const merged = first.map((result) => {
    const other = newer.get(result.name);
    return other === undefined || other.ratio < result.ratio ? result : other;
  });
  const names = new Set(merged.map(({ name }) => name));
  return [...merged, ...again.filter(({ name }) => !names.has(name))];
}

/** One line for each thing that people should know. */
export function report({ falls, missing, added }: Verdict): string[] {
  return [
    ...falls.map(({ entry, now }) => {
      const { name, ratio, margin } = entry;
      const percent = Math.round(margin * 100);
      return `FELL     ${name}: ${now.toFixed(2)}×, baseline ${ratio.toFixed(2)}× less a margin of ${percent} % is ${floorOf(entry).toFixed(2)}×`;
    }),
    ...missing.map(({ suite, name }) => `MISSING  ${name}: in the baseline, but suite ${suite} did not measure it`),
    ...added.map(({ name, ratio }) => `NEW      ${name}: ${ratio.toFixed(2)}×, not in the baseline; pnpm bench:update`),
  ];
}
