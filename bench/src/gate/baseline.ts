import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SuiteResult } from "../result-file.ts";
import { median } from "../suite.ts";

/** What a benchmark has reached, and by how much it may fall short. */
export interface BaselineEntry {
  readonly suite: string;
  readonly name: string;
  readonly ratio: number;
  /** Share of the ratio: 0.3 lets 10 fall to 7. */
  readonly margin: number;
}

export interface Baseline {
  readonly results: readonly BaselineEntry[];
}

export const BASELINE_FILE: string = join(import.meta.dirname, "..", "..", "baseline.json");

/** Even where every round agreed, another machine or a busy one may differ by this much. */
const LEAST_MARGIN = 0.25;
/** Where several processes share the processors, the scheduler has a say in every figure. */
const LEAST_MARGIN_AMONG_PROCESSES = 0.4;
const AMONG_PROCESSES: ReadonlySet<string> = new Set(["link", "hub", "unix-json", "mcp"]);
/** Above it the gate would say nothing. */
const LARGEST_MARGIN = 0.6;
/** On top of the worst round of an ordinary run. */
const RESERVE = 0.1;

/** @throws Error that says what is wrong with the file */
export function readBaseline(file: string): Baseline {
  const { results } = JSON.parse(readFileSync(file, "utf8")) as Partial<Baseline>;
  const isEntry = (entry: BaselineEntry) =>
    typeof entry.suite === "string" && typeof entry.name === "string" && entry.ratio > 0 && entry.margin > 0;
  if (!Array.isArray(results) || !results.every(isEntry)) throw new Error(`${file} is not a baseline`);
  return { results };
}

export function writeBaseline(file: string, baseline: Baseline): void {
  const round = (value: number) => Number(value.toPrecision(3));
  const lines = baseline.results.map(({ suite, name, ratio, margin }) =>
    JSON.stringify({ suite, name, ratio: round(ratio), margin: round(margin) }),
  );
  writeFileSync(file, `{\n  "results": [\n    ${lines.join(",\n    ")}\n  ]\n}\n`);
}

/**
 * Several runs → a baseline. The ratio is the median of the runs'. The margin is how far the worst round of the median run lay
 * below it, and a tenth more: the gate compares medians of rounds, which scatter less than rounds do.
 */
export function makeBaseline(runs: readonly (readonly SuiteResult[])[]): Baseline {
  const [first = []] = runs;
  return {
    results: first.map(({ suite, name }) => {
      const same = runs.flatMap((run) => run.filter((result) => result.name === name));
      const ratio = median(same.map((result) => result.ratio));
      const worst = median(same.map(({ spread }) => spread[0]));
      const least = AMONG_PROCESSES.has(suite) ? LEAST_MARGIN_AMONG_PROCESSES : LEAST_MARGIN;
      const margin = Math.min(LARGEST_MARGIN, Math.max(least, RESERVE + 1 - worst / ratio));
      return { suite, name, ratio, margin };
    }),
  };
}
