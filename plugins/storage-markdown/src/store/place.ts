import { hash } from "node:crypto";
import { mkdirSync, type Stats } from "node:fs";
import { dirname, sep } from "node:path";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { fileFailure, systemCode } from "./failures.ts";
import { inspect } from "./files.ts";
import { OWN_PREFIX, VERSION_SUFFIX } from "./paths.ts";

export const NEXT_VERSION_SUFFIX = `.next${VERSION_SUFFIX}`;

/** The files of one document. `content` and `version` are what a reader sees; the other two exist during a write only. */
export interface Place {
  /** As it was asked for, cleaned; for messages. */
  readonly path: string;
  readonly directory: string;
  readonly content: string;
  readonly version: string;
  /** Becomes `content`. */
  readonly nextContent: string;
  /** Becomes `version`. It without `nextContent` means: `content` is new already, `version` is not yet. */
  readonly nextVersion: string;
}

/** @param names from `splitDocumentPath` */
export function placeOf(root: string, names: readonly string[]): Place {
  const name = names.at(-1) as string;
  // Clean names need no `join`, which would look at every character again.
  const directory = [root, ...names.slice(0, -1)].join(sep);
  // A hash, since a document's name may be as long as a name can be.
  const own = `${directory}${sep}${OWN_PREFIX}${hash("sha256", name).slice(0, 24)}`;
  const content = `${directory}${sep}${name}`;
  return {
    path: names.join("/"),
    directory,
    content,
    version: `${content}${VERSION_SUFFIX}`,
    nextContent: `${own}.content${VERSION_SUFFIX}`,
    nextVersion: `${own}${NEXT_VERSION_SUFFIX}`,
  };
}

/**
 * Looks at every directory on the way, from the root down. Symbolic links are refused wherever they lead: one that leaves
 * the root is an escape, and one that stays inside gives a document two names, with a version under each.
 * @returns false where one is missing, or is a file, which has nothing below it
 * @throws {HubError} `PERMISSION_DENIED` for a link, `FAILED_PRECONDITION` for a root that is no directory
 */
export function directoriesExist(root: string, names: readonly string[]): boolean {
  let path = root;
  for (let index = 0; index <= names.length; index++) {
    if (index > 0) path += sep + names[index - 1];
    const stats = inspect(path);
    if (stats === undefined || (index > 0 && stats.isFile())) return false;
    if (!stats.isDirectory()) refuseDirectory(stats, names.slice(0, index).join("/"));
  }
  return true;
}

/**
 * Makes the directories that are missing, with mode 0755.
 * @returns the directories that got a new name in them
 * @throws {HubError} also for a file in the place of a directory
 */
export function makeDirectories(root: string, names: readonly string[]): string[] {
  const changed: string[] = [];
  let path = root;
  for (let index = 0; index <= names.length; index++) {
    if (index > 0) path += sep + names[index - 1];
    const label = names.slice(0, index).join("/");
    if (inspect(path) === undefined) {
      makeDirectory(path, label, index === 0);
      changed.push(dirname(path));
    }
    const stats = inspect(path);
    if (stats !== undefined && !stats.isDirectory()) refuseDirectory(stats, label);
  }
  return changed;
}

function makeDirectory(path: string, label: string, recursive: boolean): void {
  try {
    mkdirSync(path, { mode: 0o755, recursive });
  } catch (error) {
    // Another process was faster.
    if (systemCode(error) !== "EEXIST") throw fileFailure("Cannot make directory", label, error);
  }
}

/** @throws {HubError} always: what stands there is no directory */
function refuseDirectory(stats: Stats, label: string): never {
  const name = label === "" ? "the storage root" : `"${label}"`;
  if (stats.isSymbolicLink()) throw linkRefused(name);
  throw new HubError(ErrorCode.FailedPrecondition, `${name} is a file, not a directory`);
}

/** @throws {HubError} for anything but a regular file */
export function checkFile(stats: Stats, path: string): void {
  if (stats.isFile()) return;
  if (stats.isSymbolicLink()) throw linkRefused(`"${path}"`);
  if (stats.isDirectory()) throw new HubError(ErrorCode.FailedPrecondition, `"${path}" is a directory`);
  throw new HubError(ErrorCode.FailedPrecondition, `"${path}" is not a regular file`);
}

function linkRefused(name: string): HubError {
  return new HubError(ErrorCode.PermissionDenied, `${name} is a symbolic link, and links are not followed`);
}
