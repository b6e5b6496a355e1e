import { renameSync } from "node:fs";
import { systemCode } from "./failures.ts";
import { inspect, readShort } from "./files.ts";
import type { Place } from "./place.ts";

/**
 * The version of a document that has no version file: made by hand, or cloned without it. Not 0, which on a write means
 * "there must be no such file": a tool that writes with the version it read would never get anywhere.
 */
export const UNCOUNTED = 1;

/** More digits than any version has. */
const MAX_VERSION_BYTES = 32;

/** @returns undefined where the file is missing or holds no count from 1 up */
export function readVersionFile(path: string): number | undefined {
  // What is not to be followed or read counts as missing: a bad version file counts as none, as it always has.
  const text = readShort(path, MAX_VERSION_BYTES)?.trim();
  const version = text !== undefined && /^\+?[0-9]+$/.test(text) ? Number(text) : 0;
  return version > 0 && Number.isSafeInteger(version) ? version : undefined;
}

/**
 * The version that goes with a document's content, also while a write is under way or after one that was cut off.
 * Ask for it before the content is read: content that is newer than its version makes a later write fail with a conflict, the
 * other way round a write would get lost.
 */
export function readVersion(place: Place): number | undefined {
  const settled = readVersionFile(place.version);
  if (inspect(place.nextVersion) === undefined) return settled;
  const next = readVersionFile(place.nextVersion);
  return next !== undefined && inspect(place.nextContent) === undefined ? next : settled;
}

/** Finishes a write that was cut off between its two last steps. Only with the lock in hand. */
export function finishCutOffWrite(place: Place): void {
  if (inspect(place.nextVersion) === undefined || inspect(place.nextContent) !== undefined) return;
  try {
    renameSync(place.nextVersion, place.version);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}
