import { randomBytes } from "node:crypto";
import type { Dirent } from "node:fs";
import { join } from "node:path";
import { inspect, removeIfThere } from "./files.ts";
import { OWN_PREFIX, VERSION_SUFFIX } from "./paths.ts";

const STAGED_SUFFIX = `.staged${VERSION_SUFFIX}`;
/** A write needs milliseconds from staging to the end. One that loses its staged files to this fails, and changes nothing. */
const STALE_AFTER_MS = 60 * 60 * 1000;

/** A name that no other write has. */
export function stagedPath(directory: string): string {
  return join(directory, `${OWN_PREFIX}${randomBytes(12).toString("hex")}${STAGED_SUFFIX}`);
}

/** Removes what writes that were cut off have staged. */
export function sweepStaged(directory: string, children: readonly Dirent[], nowMs = Date.now()): void {
  for (const { name } of children) {
    if (!name.startsWith(OWN_PREFIX) || !name.endsWith(STAGED_SUFFIX)) continue;
    const path = join(directory, name);
    const stats = inspect(path);
    if (stats === undefined || nowMs - stats.mtimeMs < STALE_AFTER_MS) continue;
    try {
      removeIfThere(path);
    } catch {
      // On a read-only file system a list must still work.
    }
  }
}
