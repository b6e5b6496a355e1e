import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { isAlive } from "@orchestrator/hub/testing";

/** The living processes whose command line or environment holds a text, for example a test's own directory. Linux. */
export function processesOf(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && isAlive(pid) && mentions(pid, text));
}

function mentions(pid: number, text: string): boolean {
  for (const file of ["cmdline", "environ"]) {
    try {
      if (readFileSync(`/proc/${pid}/${file}`, "utf8").includes(text)) return true;
    } catch {
      // It ended while we looked, or it is not ours to look at.
    }
  }
  return false;
}

/** Whether a Python of this version or a newer one is here: "3.8". */
export function hasPython(version: string): boolean {
  const [major, minor] = version.split(".");
  try {
    execFileSync("python3", ["-c", `import sys; sys.exit(sys.version_info < (${major}, ${minor}))`], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
}
