import { setTimeout as sleep } from "node:timers/promises";
import { isExhausted } from "./exhausted.ts";
import { findMarked, killMarked, type MarkedProcess } from "./find-marked.ts";
import type { HubMark } from "./hub-mark.ts";

export interface KillOptions {
  /** Looks for what is to be killed; called until it finds nothing. Default: all that carries the mark, by either sign. */
  readonly find?: () => Promise<readonly MarkedProcess[]>;
  /** How long to go on. Default 5 000 ms: a process that hangs in the kernel cannot be ended by anybody. */
  readonly patienceMs?: number;
}

/** So often in any case: a hub that was held up itself for all of its patience has not tried yet. */
const LEAST_ROUNDS = 5;

/** How long descriptors are waited for: somebody may wait for the end of a plugin, and whoever cannot look can look later. */
const BLIND_MS = 500;

export interface KillResult {
  readonly killed: number;
  /** What is still there when the time is over. */
  readonly left: readonly MarkedProcess[];
  /** Why it is not known what is left: there is no descriptor to look with. */
  readonly unseen?: NodeJS.ErrnoException;
}

/**
 * Kills until nothing is left, looking again after each round, since a process may have started another one meanwhile.
 */
export async function killAll(mark: HubMark, options: KillOptions = {}): Promise<KillResult> {
  const { find = () => findMarked(mark, { environ: true }), patienceMs = 5_000 } = options;
  const begunAt = performance.now();
  const killed = new Set<string>();
  for (let round = 1, waitMs = 2; ; round += 1, waitMs = Math.min(waitMs * 2, 100)) {
    const { left, unseen } = await look(find);
    const tookMs = performance.now() - begunAt;
    if (unseen !== undefined && tookMs > BLIND_MS) return { killed: killed.size, left, unseen };
    const isOver = tookMs > patienceMs && round > LEAST_ROUNDS;
    if (unseen === undefined && (left.length === 0 || isOver)) return { killed: killed.size, left };
    for (const found of left) {
      if (killMarked(mark, found)) killed.add(`${found.pid}/${found.startTime}`);
    }
    await sleep(waitMs);
  }
}

async function look(find: () => Promise<readonly MarkedProcess[]>): Promise<Omit<KillResult, "killed">> {
  try {
    return { left: await find() };
  } catch (error) {
    if (isExhausted(error)) return { left: [], unseen: error };
    throw error;
  }
}
