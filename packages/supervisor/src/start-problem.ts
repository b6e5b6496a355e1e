import { statSync } from "node:fs";
import { resolve } from "node:path";

const SHORTAGES: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "EAGAIN", "ENOMEM"]);

/** Why a program could not be started, for people, and what to try. */
export function startProblem(error: NodeJS.ErrnoException, program: string, cwd: string): string {
  switch (error.code) {
    case "ENOENT":
    case "EACCES":
      return notRunnable(error.code, program, cwd);
    case "EMFILE":
    case "ENFILE":
    case "EAGAIN":
    case "ENOMEM":
      return `the system has no more processes, descriptors or memory to give (${error.code}). Check ulimit -n and -u`;
    case "E2BIG":
      return `the system does not take so much: its arguments and environment, or one of them, are too long. Check "args" and "env"`;
    default:
      return `${error.message}`;
  }
}

/** The machine, or this process, had nothing left to start a program with: that passes. */
export function isShortage({ cause }: Error): boolean {
  return SHORTAGES.has(String((cause as NodeJS.ErrnoException | undefined)?.code));
}

/** The system says less than it knows: one code stands for whatever is missing, another for whatever may not be run. */
function notRunnable(code: "ENOENT" | "EACCES", program: string, cwd: string): string {
  if (kindOf(cwd) !== "directory") return `its directory "${cwd}" is not there. Check "cwd" in the config`;
  const kind = program.includes("/") ? kindOf(resolve(cwd, program)) : undefined;
  if (kind === "directory") return `"${program}" is a directory, and not a program. Check "binary" in the config`;
  if (code === "EACCES") return `"${program}" is not executable. Try: chmod +x "${program}"`;
  if (kind === "file")
    return `the interpreter that the first line of "${program}" names was not found. Install it, or name another`;
  return `"${program}" was not found. Check "binary" in the config`;
}

function kindOf(path: string): "directory" | "file" | undefined {
  try {
    return statSync(path).isDirectory() ? "directory" : "file";
  } catch {
    return undefined;
  }
}
