import { execFile } from "node:child_process";
import { accessSync, closeSync, constants, existsSync, openSync, readSync, statSync } from "node:fs";
import { delimiter, isAbsolute, resolve } from "node:path";

/** Every Unix has it there. */
export const SHELL = "/bin/sh";

/** `ulimit` has no common letter for this limit: dash and busybox call it -w, bash -x. A shell that knows neither sets nothing. */
export const setLocksLimit = (value: string): string =>
  `ulimit -S -w ${value} 2>/dev/null || ulimit -S -x ${value} 2>/dev/null`;

/**
 * Runs as the child, becomes the plugin: `sh -c SCRIPT sh HUB MARK REQUIRED OPTIONAL [FILE ...] PROGRAM [ARGUMENT ...]`.
 *
 * - It ends when the hub is no longer its parent. A hub that dies while it starts a process leaves one that has the hub's own
 *   environment until it has loaded the shell; from then on the environment carries the token, which the guardian looks for, and this
 *   line finds whatever happened before. So there is no moment at which a child can slip away.
 * - Then the mark, then the control groups, each by its file of processes: the plugin is in them before its first instruction.
 */
const SCRIPT = `[ "$PPID" = "$1" ] || exit 125
${setLocksLimit('"$2"')}
must=$3 may=$4
shift 4
while [ "$must" -gt 0 ]; do
  echo 0 > "$1" || { echo "cannot enter the control group of its limits" >&2; exit 125; }
  shift; must=$((must - 1))
done
while [ "$may" -gt 0 ]; do
  echo 0 2>/dev/null > "$1"
  shift; may=$((may - 1))
done
`;

/** Linux reads no more of it. */
const LONGEST_FIRST_LINE = 256;

/** What some shells add to the environment. */
const SHELL_VARIABLES = ["PWD", "OLDPWD", "SHLVL"] as const;

export interface ShimOptions {
  /** The soft limit that marks the instance. */
  readonly digits: string;
  readonly env: Readonly<Record<string, string>>;
  /** `cgroup.procs` files that it must enter, or not run at all. */
  readonly required?: readonly string[];
  /** The same, but it may fail. */
  readonly optional?: readonly string[];
  /** Whose child it must be; default this process. Tests say otherwise. */
  readonly parent?: number;
}

/** Some containers hold nothing but one program. */
export function hasShell(): boolean {
  return process.platform !== "win32" && existsSync(SHELL);
}

/**
 * Whether a shell hands the environment on as it is. Names that no shell variable can have, such as `spring.main.banner`, are lost
 * in some; and they cannot be handed on in the arguments of `env`, where everybody could read what may be a secret.
 */
export function survivesShell(env: Readonly<Record<string, string>>): boolean {
  return Object.keys(env).every((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
}

/** The command that runs `command` marked, in the same process. About a millisecond slower than without. */
export function shimmed(command: readonly [string, ...string[]], options: ShimOptions): [string, ...string[]] {
  const { digits, env, required = [], optional = [], parent = process.pid } = options;
  const unset = SHELL_VARIABLES.filter((name) => !(name in env));
  const script = `${SCRIPT}unset ${unset.join(" ")}\nexec "$@"`;
  const numbers = [parent, digits, required.length, optional.length].map(String);
  return [SHELL, "-c", script, "sh", ...numbers, ...required, ...optional, ...command];
}

/** Whether a process started through the shell carries the mark: asked once per hub, a few milliseconds. */
export function marksWork(): Promise<boolean> {
  const probe = "123456789012345678";
  const script = `${setLocksLimit(probe)}; while IFS= read -r l; do echo "$l"; done < /proc/self/limits`;
  return new Promise((resolve) => {
    execFile(SHELL, ["-c", script], { timeout: 5_000, env: {} }, (_error, stdout) => resolve(stdout.includes(probe)));
  });
}

/** False for a script whose first line names a program that is not there. */
function hasInterpreter(program: string): boolean {
  const start = Buffer.alloc(LONGEST_FIRST_LINE);
  let fd: number;
  try {
    fd = openSync(program, constants.O_RDONLY);
  } catch {
    // A program need not be readable.
    return true;
  }
  try {
    const text = start.toString("latin1", 0, readSync(fd, start, 0, start.length, 0));
    const interpreter = /^#!\s*(\/[^\s\0]+)/.exec(text)?.[1];
    return interpreter === undefined || existsSync(interpreter);
  } finally {
    closeSync(fd);
  }
}

/**
 * Looks for a program as the system would. With the shell in between, the answer of the system comes too late for a good message.
 * @returns "ENOENT" or "EACCES" where it cannot be run
 */
export function programProblem(
  program: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): "ENOENT" | "EACCES" | undefined {
  // No shell is in between there, and a program has more than one name.
  if (process.platform === "win32") return undefined;
  const places = program.includes("/")
    ? [isAbsolute(program) ? program : resolve(cwd, program)]
    : (env["PATH"] ?? "/usr/bin:/bin").split(delimiter).map((directory) => resolve(cwd, directory || ".", program));
  let problem: "ENOENT" | "EACCES" = "ENOENT";
  for (const place of places) {
    try {
      if (!statSync(place).isFile()) continue;
      accessSync(place, constants.X_OK);
      return hasInterpreter(place) ? undefined : "ENOENT";
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EACCES") problem = "EACCES";
    }
  }
  return problem;
}
