import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { extname, join, sep } from "node:path";

/**
 * The files of a directory that may be plugins, by name. Links count as what they lead to, which must be in the directory.
 * @param directory made where it is missing
 * @param problems gets a line, with what to do, for each that cannot be one although it has the name of one
 */
export function candidates(directory: string, problems: string[]): string[] {
  let names: string[];
  let root: string;
  try {
    mkdirSync(directory, { recursive: true });
    names = readdirSync(directory).sort();
    root = realpathSync(directory);
  } catch (error) {
    problems.push(`The plugin directory "${directory}" cannot be used: ${directoryProblem(directory, error)}`);
    return [];
  }
  return names
    .filter((name) => extname(name) === ".binary")
    .map((name) => join(directory, name))
    .filter((file) => {
      const problem = fileProblem(file, root);
      if (problem !== undefined) problems.push(`Skipped "${file}": ${problem}`);
      return problem === undefined;
    });
}

function directoryProblem(directory: string, error: unknown): string {
  try {
    const kind = kindOf(statSync(directory));
    if (kind !== "a directory") return `it is ${kind}. Remove it, or name a directory in plugin_dirs`;
  } catch {
    const target = targetOf(directory);
    if (target !== undefined) return `it is a link to "${target}", which is not there. Mend the link, or remove it`;
  }
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return `this user may not read or make it (${code}). Mend its permissions, or those of the directories above it`;
  }
  if (code === "ENOTDIR") return "something on the way to it is a file (ENOTDIR). Mend the path in plugin_dirs";
  return message;
}

/** @returns why the file cannot be a plugin and what to do, or undefined where it can */
function fileProblem(file: string, root: string): string | undefined {
  try {
    const real = realpathSync(file);
    const kind = kindOf(statSync(real));
    const instead = "Remove it, or give it a name that does not end in .binary";
    if (kind !== "a file") return `it is ${kind}, not a program. ${instead}`;
    if (!real.startsWith(root + sep))
      return `it leads out of the directory, to "${real}". Put the program itself there`;
    if (!isExecutable(real)) return `it may not be run. Make it executable: chmod +x "${file}"`;
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const target = targetOf(file);
    if (code === "ELOOP") return "it is a link that leads back to itself. Remove it";
    if (code === "ENOENT" && target === undefined) return "it went away meanwhile. Reload to look again";
    if (code === "ENOENT") return `it is a link to "${target}", which is not there. Mend the link, or remove it`;
    if (code === "EACCES")
      return "this user may not see what it leads to (EACCES). Mend the permissions on the way there";
    return message;
  }
}

function kindOf(stat: Stats): string {
  if (stat.isFile()) return "a file";
  if (stat.isDirectory()) return "a directory";
  if (stat.isFIFO()) return "a named pipe";
  return stat.isSocket() ? "a socket" : "a device";
}

/** Where a link leads; undefined for what is no link. */
function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function isExecutable(file: string): boolean {
  // Windows goes by the name.
  if (process.platform === "win32") return true;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
