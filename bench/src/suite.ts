import type { Children } from "./children.ts";

/** One line of the result: ours beside a peer, measured in turn in one run. */
export interface Result {
  /** `operation/fixture`. */
  readonly name: string;
  /** One of {@link LESS_IS_BETTER}, or `calls/s`, `MB/s`, `ops/s` (more is better). */
  readonly unit: string;
  /** Medians over the rounds. */
  readonly ours: number;
  readonly peer: number;
  readonly peerName: string;
  /** How many times better ours is: above 1 is better, whatever the unit. The median of the rounds' own ratios. */
  readonly ratio: number;
  /** Smallest and largest ratio of the rounds. */
  readonly spread: readonly [number, number];
  readonly rounds: number;
}

/** Units of which less is better: times, CPU time per call, memory, share of a core. */
export const LESS_IS_BETTER: ReadonlySet<string> = new Set(["us", "ms", "us CPU", "MiB", "% CPU"]);

export interface SuiteContext {
  readonly rounds: number;
  /** 1 is the full size; CI runs with less. */
  readonly scale: number;
  /** Also what takes minutes. */
  readonly full: boolean;
  /** Only what every machine can measure, and nothing twice: the form that the gate compares. */
  readonly short: boolean;
  /** Every process of a suite is started here, so that none outlives the run. */
  readonly children: Children;
  /** Says what is going on, for people who wait. */
  progress(text: string): void;
}

export interface Suite {
  readonly name: string;
  run(context: SuiteContext): Promise<Result[]>;
}

/** One figure of one round, of both sides. */
export interface Pair {
  readonly ours: number;
  readonly peer: number;
}

/** Gathers the rounds of one figure. */
export function summarize(name: string, unit: string, peerName: string, pairs: readonly Pair[]): Result {
  const lessIsBetter = LESS_IS_BETTER.has(unit);
  const ratios = pairs.map(({ ours, peer }) => (lessIsBetter ? peer / ours : ours / peer)).sort((a, b) => a - b);
  return {
    name,
    unit,
    ours: median(pairs.map((pair) => pair.ours)),
    peer: median(pairs.map((pair) => pair.peer)),
    peerName,
    ratio: median(ratios),
    spread: [ratios[0] ?? Number.NaN, ratios.at(-1) ?? Number.NaN],
    rounds: pairs.length,
  };
}

/** The middle value, the mean of the two middle ones of an even number; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return sorted.length === 0 ? Number.NaN : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
