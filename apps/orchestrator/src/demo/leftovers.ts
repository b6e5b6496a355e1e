import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { isAlive, ownIdentity, type ProcessIdentity, processStartTime } from "@orchestrator/identity/internal";

/** A process that is running now, so that it can be told later whether that very one is gone. */
export function identify(pid: number): ProcessIdentity {
  return { pid, startTime: processStartTime(pid) ?? "", scope: ownIdentity().scope };
}

/**
 * Which of `known` still run, and which other processes have `path` in their command line or, where the system shows it, in
 * their environment: whatever was started for that directory, also by a process that we never heard of.
 */
export function leftovers(known: readonly ProcessIdentity[], path: string): readonly number[] {
  const pids = known.filter((process) => isAlive(process) !== "dead").map(({ pid }) => pid);
  return [...new Set([...pids, ...processesAbout(path)])].filter((pid) => pid !== process.pid);
}

/** One that is gone meanwhile is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone meanwhile.
  }
}

function processesAbout(path: string): readonly number[] {
  if (process.platform === "linux") {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => pid !== process.pid && ["cmdline", "environ"].some((file) => read(pid, file).includes(path)));
  }
  if (process.platform === "win32") return [];
  const lines = execFileSync("ps", ["-A", "-ww", "-o", "pid=,args="], { encoding: "utf8" }).split("\n");
  return lines.filter((line) => line.includes(path)).map((line) => Number.parseInt(line, 10));
}

/** "" for a process that is gone, or somebody else's. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
