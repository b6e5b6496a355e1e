import { statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute } from "node:path";

/**
 * The user's home directory, absolute; undefined where neither HOME nor the system names one. A HOME that is empty or relative
 * counts as none, here and for all that is loaded or started later: it would make the working directory, which may be
 * anybody's, the place of certificates and of compiled code.
 */
export function homeDirectory(): string | undefined {
  const named = process.env["HOME"];
  if (named !== undefined && !isAbsolute(named)) delete process.env["HOME"];
  try {
    const home = homedir();
    return isAbsolute(home) ? home : undefined;
  } catch {
    // The system has no entry for this user, as in a container that runs under a number alone.
    return undefined;
  }
}

export function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
