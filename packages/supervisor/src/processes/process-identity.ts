import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { hasEnded, readStat } from "./process-stat.ts";

/** Names one process for good; a bare process id does not, since ids are used again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** As in `ProcessStat`; "" where the system does not say. */
  readonly startTime: string;
  /** The machine, its boot and the name space of its process ids. Elsewhere the other two mean nothing. */
  readonly machine: string;
  readonly boot: string;
  readonly pidNamespace: string;
}

/** "unknown": of another machine or container, or the system does not tell. */
export type Liveness = "alive" | "dead" | "unknown";

export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    startTime: readStat(process.pid)?.startTime ?? "",
    machine: hostname(),
    boot: read(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()),
    pidNamespace: read(() => readlinkSync("/proc/self/ns/pid")),
  };
}

/** Whether exactly that process still runs, as seen by `own`, this process. */
export function liveness(identity: ProcessIdentity, own: ProcessIdentity): Liveness {
  // The name of a machine may change while it runs; the name of a boot is nobody else's.
  const isSameBoot = identity.boot === own.boot && own.boot !== "";
  if (!isSameBoot && identity.machine !== own.machine) return "unknown";
  // Nothing outlives a boot.
  if (identity.boot !== own.boot) return "dead";
  if (identity.pidNamespace !== own.pidNamespace) return "unknown";
  if (!signalReaches(identity.pid)) return "dead";
  const now = readStat(identity.pid);
  if (now === undefined || identity.startTime === "") return signalReaches(identity.pid) ? "unknown" : "dead";
  return now.startTime === identity.startTime && !hasEnded(now) ? "alive" : "dead";
}

function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function read(source: () => string): string {
  try {
    return source();
  } catch {
    return "";
  }
}
