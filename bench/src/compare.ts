import { opsPerSecond } from "./measure.ts";
import { median, type Pair, type Result, type SuiteContext, summarize } from "./suite.ts";

/** A round is cut into this many turns of either side; the median turn counts, so that a stall of the machine does not. */
const TURNS = 9;

/** Two functions that do the same work. */
export interface Comparison {
  readonly name: string;
  readonly peerName: string;
  readonly ours: () => void;
  readonly peer: () => void;
  /** Calls between two looks at the clock; less for slow functions. Default 100. */
  readonly batch?: number;
}

/** Measures functions that are done when they return: ours, peer, ours, peer … in one process. */
export function compare(comparisons: readonly Comparison[], context: SuiteContext): Result[] {
  // Even in the small form a turn is longer than a collection of garbage.
  const ms = Math.max(60, 450 * context.scale);
  const slowed = comparisons.map((one) => ({ ...one, ours: slow(one.name, one.ours) }));
  for (const { ours, peer, batch } of slowed) for (const run of [ours, peer, ours, peer]) opsPerSecond(ms, run, batch);
  const pairs = slowed.map((): Pair[] => []);
  for (let round = 0; round < context.rounds; round += 1) {
    slowed.forEach(({ name, ours, peer, batch }, index) => {
      context.progress(`${name}: round ${round + 1} of ${context.rounds}`);
      const turns = Array.from({ length: TURNS }, () => ({
        ours: opsPerSecond(ms / TURNS, ours, batch),
        peer: opsPerSecond(ms / TURNS, peer, batch),
      }));
      pairs[index]!.push({
        ours: median(turns.map((turn) => turn.ours)),
        peer: median(turns.map((turn) => turn.peer)),
      });
    });
  }
  return slowed.map(({ name, peerName }, index) => summarize(name, "ops/s", peerName, pairs[index]!));
}

/**
 * For the proof that the gate bites: ORCHESTRATOR_BENCH_SLOW="splice" does our side of every benchmark of that operation so often,
 * as if the code had become so much slower.
 */
const SLOWED = 20;

function slow(name: string, run: () => void): () => void {
  const operation = process.env["ORCHESTRATOR_BENCH_SLOW"];
  if (operation === undefined || name.split("/")[0] !== operation) return run;
  return () => {
    for (let count = 0; count < SLOWED; count += 1) run();
  };
}
