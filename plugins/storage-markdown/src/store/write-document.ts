import { chmodSync, closeSync, fsyncSync, openSync, renameSync, type Stats, writeSync } from "node:fs";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { alreadyExists, fileFailure, versionConflict } from "./failures.ts";
import { inspect, removeIfThere } from "./files.ts";
import { checkFile, type Place } from "./place.ts";
import { finishCutOffWrite, readVersion, UNCOUNTED } from "./version.ts";

// How a write survives being cut off, by a crash or a power failure, at any moment:
//
//   staged, without the lock     new content and new version go to files with names of their own, and onto the disk
//   then, with the lock:   (1)   staged content  → nextContent
//                          (2)   staged version  → nextVersion
//                          (3)   nextContent     → content        from here on the write has happened
//                          (4)   nextVersion     → version
//
// nextVersion without nextContent can only mean that (3) is done and (4) is not. Readers then take the version from
// nextVersion, and the next writer does (4) first. Any other leftover is of a write that never happened, and the next
// write renames over it. Programs that know nothing of this see the new content with the old version until then: what they
// write on top of it, they have read. Between (1) and (4) nothing waits, so that readers rarely meet these states at all.

/** Content and version of a write, on the disk under names of their own. */
export interface Staged {
  readonly content: string;
  readonly version: string;
  /** What the version file holds: a guess until the lock is in hand. */
  readonly number: number;
}

/** What there is now, as far as a write is concerned. */
export interface Current {
  readonly stats: Stats | undefined;
  /** 0 where there is no document. */
  readonly version: number;
  /** A version file outlives its document where somebody deleted only that: counting goes on from there. */
  readonly next: number;
}

export function lookAt(place: Place): Current {
  const stats = inspect(place.content);
  if (stats !== undefined) checkFile(stats, place.path);
  const counted = readVersion(place);
  const version = stats === undefined ? 0 : (counted ?? UNCOUNTED);
  return { stats, version, next: (stats === undefined ? (counted ?? 0) : version) + 1 };
}

/** @throws {HubError} `ALREADY_EXISTS` or `FAILED_PRECONDITION` where a write with this expectation must not happen */
export function checkExpectation({ stats, version }: Current, expected: number): void {
  if (expected === 0 && stats !== undefined) throw alreadyExists();
  if (expected > 0 && expected !== version) throw versionConflict(expected, version);
}

/**
 * Puts a staged write in place. Only with the lock in hand.
 * @returns the new version
 */
export function commitWrite(place: Place, staged: Staged, expected: number): number {
  finishCutOffWrite(place);
  if (inspect(place.version)?.isDirectory()) {
    throw new HubError(ErrorCode.FailedPrecondition, `"${place.path}" cannot have a version: a directory has its name`);
  }
  const { stats } = lookAt(place);
  if (stats !== undefined) chmodSync(staged.content, stats.mode & 0o777);
  let version: number;
  try {
    renameSync(staged.content, place.nextContent);
    renameSync(staged.version, place.nextVersion);
    // As late as can be: programs that take no lock get a window of some microseconds to come in between.
    const current = lookAt(place);
    checkExpectation(current, expected);
    version = current.next;
    if (version !== staged.number) rewriteVersion(place.nextVersion, version);
    renameSync(place.nextContent, place.content);
  } catch (error) {
    // In this order: nextVersion alone would say that the write has happened.
    removeIfThere(place.nextVersion);
    removeIfThere(place.nextContent);
    throw fileFailure("Cannot write", place.path, error);
  }
  renameSync(place.nextVersion, place.version);
  return version;
}

/**
 * Removes a document, then its version. Only with the lock in hand. Cut off in between, it leaves a version file alone.
 * @returns false where there was none
 */
export function removeDocument(place: Place): boolean {
  finishCutOffWrite(place);
  const stats = inspect(place.content);
  if (stats === undefined) return false;
  checkFile(stats, place.path);
  removeIfThere(place.nextVersion);
  removeIfThere(place.nextContent);
  removeIfThere(place.content);
  if (!inspect(place.version)?.isDirectory()) removeIfThere(place.version);
  return true;
}

/** Another write came in between. Rare, so that one wait for the disk with the lock in hand does no harm. */
function rewriteVersion(path: string, version: number): void {
  const file = openSync(path, "w", 0o644);
  try {
    writeSync(file, String(version));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
