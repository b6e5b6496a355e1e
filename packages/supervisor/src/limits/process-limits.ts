/** What the processes of one plugin may use together. Absent: as much as there is. */
export interface ProcessLimits {
  /** Memory, including what would be swapped out. */
  readonly memoryBytes?: number | undefined;
  /** Processors' time per time: 1 is one whole processor, 0.5 half of one. */
  readonly cpus?: number | undefined;
  /** Processes and threads at one time: the system counts both alike. */
  readonly processes?: number | undefined;
}

export type LimitName = "memory" | "cpu" | "processes";

export const LIMIT_NAMES: readonly LimitName[] = ["memory", "cpu", "processes"];

export function limitValue(limits: ProcessLimits, name: LimitName): number | undefined {
  if (name === "memory") return limits.memoryBytes;
  return name === "cpu" ? limits.cpus : limits.processes;
}

/** For messages: `512 MiB`. */
export function sizeText(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Math.round(value * 100) / 100} ${units[unit]}`;
}
