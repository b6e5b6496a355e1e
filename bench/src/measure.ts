/** One way to make a call: `done` is called when the answer is here. */
export type StartCall = (done: () => void) => void;

/** Calls one after another. */
export interface Latency {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly calls: number;
}

/** Calls side by side. */
export interface Throughput {
  readonly perSecond: number;
  readonly calls: number;
}

/** One call after the other, for `ms` milliseconds and at least so many. */
export async function sequential(start: StartCall, ms: number, atLeast = 20): Promise<Latency> {
  const times: number[] = [];
  const end = performance.now() + ms;
  await new Promise<void>((resolve) => {
    let began = performance.now();
    const next = () => {
      const now = performance.now();
      times.push(now - began);
      if (now >= end && times.length >= atLeast) return resolve();
      began = performance.now();
      start(next);
    };
    start(next);
  });
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]! * 1_000;
  return { p50Us: at(0.5), p99Us: at(0.99), calls: times.length };
}

/** `concurrency` calls under way for `ms` milliseconds; those that are then under way are waited for and count, with their time. */
export async function concurrent(start: StartCall, ms: number, concurrency: number): Promise<Throughput> {
  const began = performance.now();
  const end = began + ms;
  let finished = 0;
  let running = 0;
  await new Promise<void>((resolve) => {
    const next = () => {
      running += 1;
      start(done);
    };
    const done = () => {
      finished += 1;
      running -= 1;
      // The clock is asked rarely: at a million calls per second asking is part of the figure.
      if ((finished & 15) === 0 && performance.now() >= end) stop = true;
      if (!stop) next();
      else if (running === 0) resolve();
    };
    let stop = false;
    for (let i = 0; i < concurrency; i += 1) next();
  });
  return { perSecond: finished / ((performance.now() - began) / 1_000), calls: finished };
}

/** Operations per second of a function that is done when it returns, over at least `ms` milliseconds. */
export function opsPerSecond(ms: number, run: () => void, batch = 100): number {
  const began = performance.now();
  let count = 0;
  let elapsed = 0;
  do {
    for (let i = 0; i < batch; i += 1) run();
    count += batch;
    elapsed = performance.now() - began;
  } while (elapsed < ms);
  return count / (elapsed / 1_000);
}
