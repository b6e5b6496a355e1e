import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The name of a control group of a hub; `part` is an instance's number, or "hub". */
export function cgroupName(token: string, part: string | number): string {
  return `orchestrator-${token}-${part}`;
}

/** Kills whatever is in the hub's groups in these directories, as far as the system can: version 2 only. */
export function emptyCgroups(directories: readonly string[], token: string): void {
  for (const group of groupsOfPlugins(directories, token)) killCgroup(group);
}

/** Kills all processes of a group and of those below, with no way for a new one to slip through. @returns whether it could */
export function killCgroup(group: string): boolean {
  try {
    const file = join(group, "cgroup.kill");
    // Opened to be written only: never made where it is not.
    if (!existsSync(file)) return false;
    writeFileSync(file, "1", { flag: "r+" });
    return true;
  } catch {
    return false;
  }
}

/** Removes the hub's groups in these directories; one with a process in it stays. */
export async function removeCgroups(directories: readonly string[], token: string): Promise<void> {
  for (const group of groupsIn(directories, token)) await removeCgroup(group);
}

/** As `removeCgroups`, but for the group of the hub itself. */
export async function removePluginCgroups(directories: readonly string[], token: string): Promise<void> {
  for (const group of groupsOfPlugins(directories, token)) await removeCgroup(group);
}

/** How often a group is tried that the system still holds because its last process went a moment ago. */
const TRIES = 20;

/** Removes a group with those that were made in it. @returns false when it is still in use after a while */
export async function removeCgroup(group: string): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for (const child of subgroups(group)) await removeCgroup(child);
      rmdirSync(group);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
      if (attempt === TRIES) return false;
      await sleep(5);
    }
  }
}

/** The number behind a word in a file of lines `word number`; 0 where it is not. */
export function readCount(file: string, word: string): number {
  try {
    const line = readFileSync(file, "utf8")
      .split("\n")
      .find((entry) => entry.startsWith(`${word} `));
    return Number(line?.slice(word.length + 1) ?? 0);
  } catch {
    return 0;
  }
}

/** Not that of the hub, in which its guardian may be. */
function groupsOfPlugins(directories: readonly string[], token: string): string[] {
  return groupsIn(directories, token).filter((group) => !group.endsWith(cgroupName(token, "hub")));
}

function groupsIn(directories: readonly string[], token: string): string[] {
  return directories.flatMap((directory) =>
    subgroups(directory).filter((path) => path.startsWith(join(directory, cgroupName(token, "")))),
  );
}

function subgroups(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name));
  } catch {
    return [];
  }
}
