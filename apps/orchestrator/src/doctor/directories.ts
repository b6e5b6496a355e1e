import { accessSync, constants, existsSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { size } from "../output/text.ts";
import { type Finding, fail, ok, warn } from "./check.ts";

/** Below it a hub fails soon; below the second it is time to look. */
const LEAST_BYTES = 50 * 1024 * 1024;
const LOW_BYTES = 500 * 1024 * 1024;

/** The nearest directory on the way that is there. */
export function nearest(directory: string): string {
  let found = directory;
  while (!existsSync(found)) found = dirname(found);
  return found;
}

/** Why a directory that is missing cannot be made; undefined where it can. */
export function cannotMake(directory: string): string | undefined {
  const parent = nearest(dirname(directory));
  try {
    accessSync(parent, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return `"${parent}" cannot be written (${(error as NodeJS.ErrnoException).code})`;
  }
}

/** Why nothing can be written to a directory; undefined where it can. */
export function cannotWrite(directory: string): string | undefined {
  const probe = join(directory, `.orchestrator-doctor-${process.pid}`);
  try {
    accessSync(directory, constants.R_OK | constants.X_OK);
    writeFileSync(probe, "");
    rmSync(probe);
    return undefined;
  } catch (error) {
    return `"${directory}" cannot be written (${(error as NodeJS.ErrnoException).code})`;
  }
}

/** A warning about a directory that is to be private and is not. */
export function laxMode(name: string, directory: string, mode: number): readonly Finding[] {
  if (process.platform === "win32" || (mode & 0o077) === 0) return [];
  const detail = `${directory} has mode 0${(mode & 0o777).toString(8)}: others can enter it`;
  return [warn(name, detail, `Run: chmod 700 "${directory}"`)];
}

/** @param directory may be missing @param whose what it stands for */
export function room(name: string, directory: string, whose = directory): Finding {
  const { bavail, bsize } = statfsSync(nearest(directory));
  const free = bavail * bsize;
  const detail = `${size(free)} free for ${whose}`;
  if (free < LEAST_BYTES) return fail(name, detail, "Free some space: records and logs could not be written");
  return free < LOW_BYTES ? warn(name, detail, "Free some space soon") : ok(name, detail);
}
