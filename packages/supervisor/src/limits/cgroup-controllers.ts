import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readStat } from "../processes/process-stat.ts";
import { cgroupName } from "./cgroup-files.ts";
import { readWords } from "./cgroup-layout.ts";

/** What was changed in a group of version 2 so that groups below it can have limits. */
export interface EnabledControllers {
  /** Makes it as it was before. Call it when no group is left below. */
  undo(): void;
}

/**
 * Lets the groups below a group of version 2 have limits. The system allows that only where the group itself holds no process, so
 * the hub moves into a group of its own beside those of its plugins, but only when it is alone: the processes of others are not
 * moved about.
 * @returns why it cannot be done, for an operator
 */
export function enableControllers(
  directory: string,
  controllers: readonly string[],
  token: string,
): EnabledControllers | string {
  const file = join(directory, "cgroup.subtree_control");
  const missing = controllers.filter((name) => !readWords(file).includes(name));
  const none = { undo: () => {} };
  if (missing.length === 0) return none;
  const plus = missing.map((name) => `+${name}`).join(" ");
  const minus = missing.map((name) => `-${name}`).join(" ");
  if (write(file, plus) === undefined) return { undo: () => void write(file, minus) };
  const pids = readWords(join(directory, "cgroup.procs")).map(Number);
  const strangers = pids.filter((pid) => pid !== process.pid && readStat(pid)?.parent !== process.pid);
  if (strangers.length > 0) return `other processes are in the control group "${directory}" too`;
  const leaf = join(directory, cgroupName(token, "hub"));
  try {
    mkdirSync(leaf);
  } catch (error) {
    return `no control group can be made in "${directory}" (${(error as NodeJS.ErrnoException).code})`;
  }
  const back = () => {
    moveAll(leaf, directory);
    try {
      rmdirSync(leaf);
    } catch {
      // The next hub that starts here removes it.
    }
  };
  moveAll(directory, leaf);
  const problem = write(file, plus);
  if (problem !== undefined) {
    back();
    return `controllers cannot be enabled in "${directory}" (${problem})`;
  }
  return {
    undo: () => {
      write(file, minus);
      back();
    },
  };
}

function moveAll(from: string, to: string): void {
  for (const pid of readWords(join(from, "cgroup.procs"))) write(join(to, "cgroup.procs"), pid);
}

/** @returns the error's code, or undefined when it was written */
function write(file: string, text: string): string | undefined {
  try {
    writeFileSync(file, text, { flag: "r+" });
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unknown";
  }
}
