import { closeSync, openSync, readSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { hasEnded, readStat } from "../processes/process-stat.ts";
import { rethrowExhausted } from "./exhausted.ts";
import { type HubMark, numberInEnviron, numberInLimits } from "./hub-mark.ts";

/** A living process that carries a hub's mark. */
export interface MarkedProcess {
  readonly pid: number;
  readonly startTime: string;
  /** Which instance it belongs to; -1 where only the hub is known. */
  readonly number: number;
  /** Which mark told. */
  readonly by: "limits" | "environ";
}

export interface FindOptions {
  /** Look into environments too. Slower, and a process that hangs in the kernel can hold up one thread of Node's pool. */
  readonly environ: boolean;
  /** Default `/proc`; tests bring their own. */
  readonly proc?: string;
}

/** How long a look may keep the event loop to itself. With 5 000 processes a whole look is some 60 ms. */
const SLICE_MS = 1;
/** Somewhere on the machine something is always new; who calls looks again anyway. */
const MAX_ROUNDS = 8;
/** Longer than any `limits` file. */
const LIMITS_BYTES = 4096;
const ENVIRON_READS_AT_ONCE = 4;
/** The longest pause before a process that is loading a program is looked at once more; all of them together are twice as long. */
const LOADING_MS = 128;

/**
 * Looks at every process of this machine. A process may fork and end between the moment when its name is read and the one when it is
 * looked at: its child is new then, so what is new is looked at as well, until nothing is. Without a /proc there are none to find.
 * @throws {NodeJS.ErrnoException} `EMFILE` or `ENFILE` when there is no descriptor left to look with: that is not to have found nothing
 */
export async function findMarked(mark: HubMark, options: FindOptions): Promise<MarkedProcess[]> {
  const proc = options.proc ?? "/proc";
  const found: MarkedProcess[] = [];
  const seen = new Set<number>();
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const fresh = (await processIds(proc)).filter((pid) => !seen.has(pid));
    if (fresh.length === 0) break;
    for (const pid of fresh) seen.add(pid);
    const rest = await findInLimits(mark, fresh, proc, found);
    if (options.environ) found.push(...(await findInEnvirons(mark, rest, proc)));
  }
  return found;
}

/** @returns those that are not marked */
async function findInLimits(
  mark: HubMark,
  pids: readonly number[],
  proc: string,
  found: MarkedProcess[],
): Promise<number[]> {
  const buffer = Buffer.allocUnsafe(LIMITS_BYTES);
  const rest: number[] = [];
  let sliceStart = performance.now();
  for (const pid of pids) {
    const number = numberInLimits(mark, readLimits(pid, proc, buffer));
    if (number === undefined) rest.push(pid);
    else add(found, pid, number, "limits", proc);
    if (performance.now() - sliceStart < SLICE_MS) continue;
    await nextTurn();
    sliceStart = performance.now();
  }
  return rest;
}

/**
 * Kills a process that was found a while ago, if it is still that one: its start and its mark are looked at again, right before.
 * @returns false when it is gone, or cannot be looked at now
 */
export function killMarked(mark: HubMark, found: MarkedProcess): boolean {
  const now = readStat(found.pid);
  if (now === undefined || hasEnded(now) || now.startTime !== found.startTime) return false;
  try {
    if (found.by === "limits") {
      const limits = readLimits(found.pid, "/proc", Buffer.allocUnsafe(LIMITS_BYTES));
      if (numberInLimits(mark, limits) === undefined) return false;
    }
    process.kill(found.pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

async function findInEnvirons(mark: HubMark, pids: readonly number[], proc: string): Promise<MarkedProcess[]> {
  const found: MarkedProcess[] = [];
  const queue = pids.values();
  const read = async () => {
    for (const pid of queue) {
      // Before the environment: what it says then belongs to this process or to none.
      const before = readStat(pid, proc)?.startTime;
      const environ = await readEnviron(pid, proc);
      const number = numberInEnviron(mark, environ);
      if (number !== undefined && readStat(pid, proc)?.startTime === before) add(found, pid, number, "environ", proc);
    }
  };
  await Promise.all(Array.from({ length: ENVIRON_READS_AT_ONCE }, read));
  return found;
}

/**
 * A process that is loading a program has no environment to show until that is done: a moment, but on a busy machine one that a look
 * can fall into. So it is looked at again.
 */
async function readEnviron(pid: number, proc: string): Promise<string> {
  for (let waitMs = 1; ; waitMs *= 2) {
    const environ = await readOf(pid, "environ", proc);
    if (environ === undefined) return "";
    if (environ !== "" || waitMs > LOADING_MS || !(await isLoading(pid, proc))) return environ;
    await sleep(waitMs);
  }
}

/** Meanwhile it has no arguments, either. One that only was started without an environment has those. */
async function isLoading(pid: number, proc: string): Promise<boolean> {
  const stat = readStat(pid, proc);
  if (stat === undefined || hasEnded(stat) || stat.isKernel) return false;
  return (await readOf(pid, "cmdline", proc)) === "";
}

/** @returns undefined for a process that is gone, or somebody else's */
async function readOf(pid: number, name: "environ" | "cmdline", proc: string): Promise<string | undefined> {
  return await readFile(`${proc}/${pid}/${name}`, "latin1").catch((error) => {
    rethrowExhausted(error);
    return undefined;
  });
}

/** All process ids; none where there is no /proc. */
export async function processIds(proc = "/proc"): Promise<number[]> {
  const names = await readdir(proc).catch((error) => {
    rethrowExhausted(error);
    return [];
  });
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

function nothing(error: unknown): string {
  rethrowExhausted(error);
  return "";
}

function add(found: MarkedProcess[], pid: number, number: number, by: MarkedProcess["by"], proc: string): void {
  const stat = readStat(pid, proc);
  if (stat !== undefined && !hasEnded(stat)) found.push({ pid, startTime: stat.startTime, number, by });
}

/** Three calls to the system and no allocation but the text. "" for a process that is gone. */
function readLimits(pid: number, proc: string, buffer: Buffer): string {
  let fd: number;
  try {
    fd = openSync(`${proc}/${pid}/limits`, "r");
  } catch (error) {
    return nothing(error);
  }
  try {
    return buffer.toString("latin1", 0, readSync(fd, buffer, 0, buffer.length, 0));
  } catch {
    return "";
  } finally {
    closeSync(fd);
  }
}
