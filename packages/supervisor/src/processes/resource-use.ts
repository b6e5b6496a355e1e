import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { hasEnded, readStat } from "./process-stat.ts";

/** What some processes use together. */
export interface ResourceUse {
  /** Resident memory; what processes share is counted for each. */
  readonly rssBytes: number;
  /** Share of one processor since the last look, 1 being all of it; since the start at the first look. */
  readonly cpu: number;
  /** Processor time since the start, in milliseconds. */
  readonly cpuMs: number;
  /** Open file descriptors. */
  readonly descriptors: number;
  readonly threads: number;
  readonly processes: number;
}

/** What two use together. */
export function addUse(a: ResourceUse, b: ResourceUse): ResourceUse {
  return {
    rssBytes: a.rssBytes + b.rssBytes,
    cpu: a.cpu + b.cpu,
    cpuMs: a.cpuMs + b.cpuMs,
    descriptors: a.descriptors + b.descriptors,
    threads: a.threads + b.threads,
    processes: a.processes + b.processes,
  };
}

/** Adds up what `/proc` says, and remembers the last look so that a share of time can be told. */
export class ResourceMeter {
  #last: { readonly atMs: number; readonly cpuMs: number };

  /** @param startedAtMs on the clock of `performance.now()` */
  constructor(startedAtMs: number) {
    this.#last = { atMs: startedAtMs, cpuMs: 0 };
  }

  /** @returns undefined when none of the processes is there, or there is no /proc */
  async read(pids: Iterable<number>): Promise<ResourceUse | undefined> {
    const sum = { rssBytes: 0, cpuMs: 0, descriptors: 0, threads: 0, processes: 0 };
    for (const pid of pids) {
      const stat = readStat(pid);
      if (stat === undefined || hasEnded(stat)) continue;
      sum.cpuMs += stat.cpuMs;
      sum.threads += stat.threads;
      sum.rssBytes += residentBytes(pid);
      sum.descriptors += (await readdir(`/proc/${pid}/fd`).catch(() => [])).length;
      sum.processes += 1;
    }
    if (sum.processes === 0) return undefined;
    const atMs = performance.now();
    const elapsedMs = atMs - this.#last.atMs;
    // A process that ended took its time along, unless its parent collected it.
    const usedMs = Math.max(0, sum.cpuMs - this.#last.cpuMs);
    this.#last = { atMs, cpuMs: sum.cpuMs };
    return { ...sum, cpu: elapsedMs > 0 ? usedMs / elapsedMs : 0 };
  }
}

/** From `status`, which counts in KiB: `stat` counts in pages, whose size Node does not tell. */
function residentBytes(pid: number): number {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
