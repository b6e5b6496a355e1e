import { readFileSync } from "node:fs";

/** Memory of a process. Linux; NaN elsewhere. */
export interface Memory {
  /** MiB, with what it shares with others. */
  readonly rss: number;
  /** MiB, what it shares divided among those who share it. */
  readonly pss: number;
}

export function memoryOf(pid: number): Memory {
  const text = read(`/proc/${pid}/smaps_rollup`);
  const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? Number.NaN) / 1024;
  return { rss: mib("Rss"), pss: mib("Pss") };
}

/** CPU time that a process has used so far, in ms, to 10 ms. Linux; NaN elsewhere. */
export function cpuMsOf(pid: number): number {
  // The name of the program, in brackets before, may hold spaces.
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
