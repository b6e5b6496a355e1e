import { setTimeout as sleep } from "node:timers/promises";
import { findMarked, killMarked, type MarkedProcess } from "./find-marked.ts";
import type { HubMark } from "./hub-mark.ts";

export interface KillOptions {
  /** Looks for what is to be killed; called until it finds nothing. Default: all that carries the mark, by either sign. */
  readonly find?: () => Promise<readonly MarkedProcess[]>;
  /** How long to go on. Default 5 000 ms: a process that hangs in the kernel cannot be ended by anybody. */
  readonly patienceMs?: number;
}

/**
 * Kills until nothing is left, looking again after each round, since a process may have started another one meanwhile.
 * @returns how many were killed, and what is still there when the time is over
 */
export async function killAll(
  mark: HubMark,
  options: KillOptions = {},
): Promise<{ killed: number; left: readonly MarkedProcess[] }> {
  const { find = () => findMarked(mark, { environ: true }), patienceMs = 5_000 } = options;
  const deadline = performance.now() + patienceMs;
  const killed = new Set<string>();
  for (let waitMs = 2; ; waitMs = Math.min(waitMs * 2, 100)) {
    const left = await find();
    if (left.length === 0 || performance.now() > deadline) return { killed: killed.size, left };
    for (const found of left) {
      if (killMarked(mark, found)) killed.add(`${found.pid}/${found.startTime}`);
    }
    await sleep(waitMs);
  }
}
