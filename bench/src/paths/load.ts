import { BULK_BYTES } from "../envelope.ts";
import { concurrent, type Latency, type StartCall, sequential } from "../measure.ts";

/** What is asked of a path. One word, so that it can be sent to another process. */
export type Load = "sequential" | "concurrent" | "bulk" | "beside-bulk";

/** What came of it. */
export interface LoadResult {
  /** us; of small calls one after another. */
  readonly p50Us: number;
  readonly p99Us: number;
  readonly calls: number;
  readonly perSecond: number;
  /** Both directions together. */
  readonly megabytesPerSecond: number;
}

/** A small call and one of 16 MiB on the same path. */
export interface Calls {
  readonly small: StartCall;
  readonly bulk: StartCall;
  /** Why a call failed, if one did. */
  readonly failure?: () => Error | undefined;
}

const CONCURRENCY = 64;
const NOTHING: LoadResult = { p50Us: Number.NaN, p99Us: Number.NaN, calls: 0, perSecond: 0, megabytesPerSecond: 0 };

/**
 * Puts a load on a path for `ms` milliseconds.
 * @throws what a call failed with
 */
export async function putLoad(calls: Calls, load: Load, ms: number): Promise<LoadResult> {
  const result = await put(calls, load, ms);
  const failure = calls.failure?.();
  if (failure !== undefined) throw failure;
  return result;
}

async function put(calls: Calls, load: Load, ms: number): Promise<LoadResult> {
  switch (load) {
    case "sequential":
      return { ...NOTHING, ...(await sequential(calls.small, ms)) };
    case "concurrent":
      return { ...NOTHING, ...(await concurrent(calls.small, ms, CONCURRENCY)) };
    case "bulk": {
      const began = performance.now();
      const { calls: count } = await sequential(calls.bulk, ms, 3);
      const seconds = (performance.now() - began) / 1_000;
      return { ...NOTHING, calls: count, megabytesPerSecond: (count * 2 * BULK_BYTES) / 1e6 / seconds };
    }
    case "beside-bulk":
      return await besideBulk(calls, ms);
  }
}

/** Small calls one after another while one long call follows the other. */
async function besideBulk(calls: Calls, ms: number): Promise<LoadResult> {
  let over = false;
  const flow = new Promise<void>((resolve) => {
    const next = () => (over ? resolve() : calls.bulk(next));
    next();
  });
  const latency: Latency = await sequential(calls.small, ms);
  over = true;
  await flow;
  return { ...NOTHING, ...latency };
}
