/** One way to make a call: `done` is called when the answer is here. */
export type StartCall = (done: () => void) => void;

export interface Rate {
  /** Median time of one call with nothing else under way, in microseconds. */
  readonly p50Us: number;
  readonly p99Us: number;
  /** Calls per second with `concurrency` under way. */
  readonly perSecond: number;
}

export async function sequential(start: StartCall, calls: number): Promise<{ p50Us: number; p99Us: number }> {
  const times = new Float64Array(calls);
  await new Promise<void>((resolve) => {
    let index = 0;
    let began = performance.now();
    const next = () => {
      const now = performance.now();
      times[index++] = now - began;
      if (index === calls) return resolve();
      began = performance.now();
      start(next);
    };
    start(next);
  });
  times.sort();
  return { p50Us: times[calls >> 1]! * 1_000, p99Us: times[Math.floor(calls * 0.99)]! * 1_000 };
}

export async function concurrent(start: StartCall, calls: number, concurrency: number): Promise<number> {
  const began = performance.now();
  await new Promise<void>((resolve) => {
    let started = 0;
    let finished = 0;
    const next = () => {
      if (started < calls) {
        started += 1;
        start(() => {
          finished += 1;
          if (finished === calls) resolve();
          else next();
        });
      }
    };
    for (let i = 0; i < concurrency; i += 1) next();
  });
  return calls / ((performance.now() - began) / 1_000);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
