import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cgroupName, killCgroup, readCount, removeCgroup } from "./cgroup-files.ts";
import type { CgroupLayout, CgroupPlace } from "./cgroup-layout.ts";
import { LIMIT_NAMES, type LimitName, limitValue, type ProcessLimits, sizeText } from "./process-limits.ts";

/** Over which a limit of processor time holds, in microseconds; the system's own default. */
const CPU_PERIOD_US = 100_000;

/** The control groups of one start of one plugin: where it is limited, and where it can be killed as a whole. */
export class InstanceCgroups {
  /** What was asked for and is not applied, with the reason. */
  readonly problems: ReadonlyMap<LimitName, string>;
  readonly #limits: ProcessLimits;
  /** Group → version. */
  readonly #groups = new Map<string, 1 | 2>();
  readonly #limited = new Map<LimitName, string>();
  #killGroup: string | undefined;

  constructor(layout: CgroupLayout, limits: ProcessLimits, name: { readonly token: string; readonly number: number }) {
    this.#limits = limits;
    const problems = new Map<LimitName, string>();
    const group = cgroupName(name.token, name.number);
    for (const limit of LIMIT_NAMES) {
      if (limitValue(limits, limit) === undefined) continue;
      const problem = this.#limit(limit, layout.limits[limit], group);
      if (problem !== undefined) problems.set(limit, problem);
    }
    if (layout.kill !== undefined) this.#killGroup = this.#make(layout.kill, group);
    this.problems = problems;
  }

  /** Files of processes that the plugin must enter, or else it would run without its limits. */
  get required(): string[] {
    return [...new Set(this.#limited.values())].map((group) => join(group, "cgroup.procs"));
  }

  /** Those that are only of help. */
  get optional(): string[] {
    const groups = [...this.#groups.keys()].filter((group) => ![...this.#limited.values()].includes(group));
    return groups.map((group) => join(group, "cgroup.procs"));
  }

  /** Puts a process in that could not enter by itself; what it has started already stays outside. */
  enter(pid: number): void {
    for (const group of this.#groups.keys()) {
      try {
        writeFileSync(join(group, "cgroup.procs"), String(pid), { flag: "r+" });
      } catch {
        // It has ended already.
      }
    }
  }

  /** Kills all of it at once, where the system can. */
  kill(): void {
    if (this.#killGroup !== undefined) killCgroup(this.#killGroup);
  }

  /**
   * @param wasKilled whether the plugin's own process was ended by SIGKILL
   * @returns what a limit did to the plugin, or undefined where none was in its way
   */
  reached(wasKilled: boolean): string | undefined {
    const memory = this.#limited.get("memory");
    if (memory !== undefined) {
      const file = this.#groups.get(memory) === 2 ? "memory.events" : "memory.oom_control";
      if (readCount(join(memory, file), "oom_kill") > 0) {
        const limit = `memory limit of ${sizeText(this.#limits.memoryBytes!)}`;
        return wasKilled ? `it reached its ${limit}` : `one of its processes was killed at the ${limit}`;
      }
    }
    const processes = this.#limited.get("processes");
    if (processes !== undefined && readCount(join(processes, "pids.events"), "max") > 0) {
      return `it reached its limit of ${this.#limits.processes} processes and threads`;
    }
    return undefined;
  }

  /** Call it when no process is left. */
  async remove(): Promise<void> {
    for (const group of this.#groups.keys()) await removeCgroup(group);
  }

  #limit(name: LimitName, place: CgroupPlace | string, group: string): string | undefined {
    if (typeof place === "string") return place;
    const path = this.#make(place, group);
    if (path === undefined) return `no control group can be made in "${place.directory}"`;
    for (const [file, value, isOptional] of settings(name, place.version, this.#limits)) {
      if (isOptional && !existsSync(join(path, file))) continue;
      try {
        writeFileSync(join(path, file), value, { flag: "r+" });
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (!isOptional) return `"${join(path, file)}" does not take ${value} (${code})`;
      }
    }
    this.#limited.set(name, path);
    return undefined;
  }

  #make(place: CgroupPlace, name: string): string | undefined {
    const group = join(place.directory, name);
    if (this.#groups.has(group)) return group;
    try {
      mkdirSync(group);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") return undefined;
    }
    // Version 2 keeps it from a place that only looks like one.
    if (!existsSync(join(group, "cgroup.procs"))) {
      rmdirSync(group);
      return undefined;
    }
    this.#groups.set(group, place.version);
    return group;
  }
}

/** File, value, and whether it is fine for it not to be there. */
function settings(name: LimitName, version: 1 | 2, limits: ProcessLimits): [string, string, boolean][] {
  const bytes = String(limits.memoryBytes);
  const quotaUs = String(Math.round((limits.cpus ?? 0) * CPU_PERIOD_US));
  const processes: [string, string, boolean][] = [["pids.max", String(limits.processes), false]];
  if (name === "processes") return processes;
  if (version === 2) {
    if (name === "cpu") return [["cpu.max", `${quotaUs} ${CPU_PERIOD_US}`, false]];
    // Half a plugin is worth nothing: with its memory at an end, all of its processes go, and it is started anew.
    return [
      ["memory.max", bytes, false],
      ["memory.swap.max", "0", true],
      ["memory.oom.group", "1", true],
    ];
  }
  if (name === "memory") {
    return [
      ["memory.limit_in_bytes", bytes, false],
      ["memory.memsw.limit_in_bytes", bytes, true],
    ];
  }
  return [
    ["cpu.cfs_period_us", String(CPU_PERIOD_US), false],
    ["cpu.cfs_quota_us", quotaUs, false],
  ];
}
