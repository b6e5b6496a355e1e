/** One line of the result: ours beside a peer, measured in turn in one run. */
export interface Result {
  /** `operation/fixture`. */
  readonly name: string;
  /** `us` (less is better) or `calls/s`, `MB/s`, `ops/s` (more is better). */
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

export interface SuiteContext {
  readonly rounds: number;
  /** 1 is the full size; CI runs with less. */
  readonly scale: number;
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
  const lessIsBetter = unit === "us" || unit === "ms";
  const ratios = pairs.map(({ ours, peer }) => (lessIsBetter ? peer / ours : ours / peer)).sort((a, b) => a - b);
  const middle = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
  return {
    name,
    unit,
    ours: middle(pairs.map((pair) => pair.ours)),
    peer: middle(pairs.map((pair) => pair.peer)),
    peerName,
    ratio: middle(ratios),
    spread: [ratios[0] ?? Number.NaN, ratios.at(-1) ?? Number.NaN],
    rounds: pairs.length,
  };
}
