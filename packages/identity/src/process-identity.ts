import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/**
 * Names one process for good. A bare process id does not: ids are used again, and two containers that share a directory
 * count theirs apart.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in whatever unit the system counts; only compared for equality. "" where the system does not say. */
  readonly startTime: string;
  /** The machine, its boot and its process id name space: elsewhere the other two mean nothing. */
  readonly scope: string;
}

export type Liveness = "alive" | "dead" | "unknown";

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTime: processStartTime(process.pid) ?? "", scope: processScope() };
}

/** Whether exactly that process still runs. "unknown": it belongs to another machine, or the system cannot tell. */
export function isAlive(identity: ProcessIdentity): Liveness {
  if (identity.scope !== processScope()) return "unknown";
  if (!signalReaches(identity.pid)) return "dead";
  const now = look(identity.pid);
  // It has ended and only waits for its parent to notice: it holds no lock and serves nobody.
  if (now?.ended) return "dead";
  if (now === undefined || identity.startTime === "") return signalReaches(identity.pid) ? "unknown" : "dead";
  return now.startTime === identity.startTime ? "alive" : "dead";
}

/** @returns undefined where there is no such process, or the system does not say */
export function processStartTime(pid: number): string | undefined {
  return look(pid)?.startTime;
}

function look(pid: number): { readonly startTime: string; readonly ended: boolean } | undefined {
  try {
    if (process.platform === "linux") {
      // The command name, field 2, is in parentheses and may hold spaces and parentheses: count from the last ")".
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const startTime = fields[19];
      return startTime === undefined ? undefined : { startTime, ended: fields[0] === "Z" || fields[0] === "X" };
    }
    if (process.platform === "win32") return undefined;
    const startTime = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
    }).trim();
    return startTime === "" ? undefined : { startTime, ended: false };
  } catch {
    return undefined;
  }
}

function processScope(): string {
  if (process.platform !== "linux") return hostname();
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return `${boot}/${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

/** Whether there is a process of that id, whoever it is: ids are given to others again. */
export function signalReaches(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
