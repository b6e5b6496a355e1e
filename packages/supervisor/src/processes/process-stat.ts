import { readFileSync } from "node:fs";

/** What `/proc/<pid>/stat` says of a process. */
export interface ProcessStat {
  /** One letter; see `hasEnded`. */
  readonly state: string;
  readonly parent: number;
  /** Clock ticks since the boot. With the process id it names one process for good; only compared for equality. */
  readonly startTime: string;
  /** Processor time of the process and of the children that it has collected, in milliseconds. */
  readonly cpuMs: number;
  readonly threads: number;
  /** A thread of the kernel's own: it has neither program nor environment. */
  readonly isKernel: boolean;
}

/** PF_KTHREAD, among the flags of a process. */
const KERNEL_THREAD = 0x00200000;

/** The unit of times in /proc: Linux shows hundredths of a second to programs on every architecture that Node runs on. */
const TICK_MS = 10;

/**
 * Reads without waiting: unlike `environ` or `cmdline`, this file needs no lock of the process's memory, which a process that
 * hangs in the kernel may hold for ever.
 * @returns undefined where there is no such process
 */
export function readStat(pid: number, proc = "/proc"): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`${proc}/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses; it may hold spaces, parentheses and line breaks.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const startTime = fields[19];
  if (startTime === undefined) return undefined;
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
  return {
    state: fields[0]!,
    parent: Number(fields[1]),
    startTime,
    cpuMs: ticks * TICK_MS,
    threads: Number(fields[17]),
    isKernel: (Number(fields[6]) & KERNEL_THREAD) !== 0,
  };
}

/** It only waits for its parent to notice; it runs nothing and holds nothing. */
export function hasEnded(stat: ProcessStat): boolean {
  return stat.state === "Z" || stat.state === "X";
}

/** Whether there is such a process, and more than what its parent has not noticed yet. Linux. */
export function isAlive(pid: number): boolean {
  const stat = readStat(pid);
  return stat !== undefined && !hasEnded(stat);
}
