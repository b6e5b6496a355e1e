import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { ProcessIdentity } from "../processes/process-identity.ts";
import { type HubMark, isHubMark } from "./hub-mark.ts";

/** What a hub writes down so that a later one can clean up after it: who it is, how what it started is known, and what it made. */
export interface RunRecord extends HubMark {
  readonly hub: ProcessIdentity;
  readonly files: readonly StampedFile[];
  /** Sockets that its plugins listen on. Nobody else uses these names. */
  readonly sockets: readonly string[];
  /** Directories in which the hub makes control groups. */
  readonly cgroups: readonly string[];
}

/** A file as it was when it was told of: one that took its place has another stamp, whatever its name. */
export interface StampedFile {
  readonly path: string;
  readonly stamp: string;
}

/** A record of 1 000 plugins with sockets is some 100 KiB. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/** Hubs of several workspaces may share a state directory: each run has a file of its own. */
export function runsDirectory(stateDir: string): string {
  return join(stateDir, "runs");
}

export function recordPath(stateDir: string, token: string): string {
  return join(runsDirectory(stateDir), `${token}.json`);
}

/** Replaces the record as a whole; mode 0600. */
export function writeRecord(stateDir: string, record: RunRecord): void {
  const path = recordPath(stateDir, record.token);
  mkdirSync(runsDirectory(stateDir), { recursive: true, mode: 0o700 });
  const staged = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    writeFileSync(staged, `${JSON.stringify(record)}\n`, { mode: 0o600, flag: "wx" });
    renameSync(staged, path);
  } catch (error) {
    rmSync(staged, { force: true });
    throw error;
  }
}

/** What lies in the directory for records: those that can be read, and files that can be removed because they never can. */
export function readRecords(stateDir: string): { records: RunRecord[]; broken: string[] } {
  const directory = runsDirectory(stateDir);
  const records: RunRecord[] = [];
  const broken: string[] = [];
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return { records, broken };
  }
  for (const name of names) {
    const path = join(directory, name);
    const record = name.endsWith(".json") ? readRecord(path) : undefined;
    if (record !== undefined && name === `${record.token}.json`) records.push(record);
    else if (isOld(path)) broken.push(path);
  }
  return { records, broken };
}

export function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

/** Removes a socket; leaves anything else, and one that cannot be removed. */
export function removeSocket(path: string): void {
  try {
    if (isSocket(path)) rmSync(path, { force: true });
  } catch {
    // Its directory belongs to somebody else by now; whoever listens there next removes it.
  }
}

/** @returns undefined where nothing is, or anything but a file or a socket */
export function stampOf(path: string): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  if (stat === undefined || stat.isDirectory()) return undefined;
  return `${stat.dev}:${stat.ino}:${stat.ctimeNs}`;
}

/**
 * What another user could have written is no record: it would name processes and files of this user to be removed. Nor is anything
 * but a file: to open or to read it may last for ever.
 */
function readRecord(path: string): RunRecord | undefined {
  try {
    const fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    try {
      const stat = fstatSync(fd);
      const { uid, mode } = stat;
      if (!stat.isFile() || stat.size > MAX_RECORD_BYTES) return undefined;
      if (process.platform !== "win32" && (uid !== process.getuid?.() || (mode & 0o022) !== 0)) return undefined;
      const value = JSON.parse(readFileSync(fd, "utf8")) as RunRecord;
      return isRecord(value) ? value : undefined;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

function isRecord(value: RunRecord): boolean {
  const { hub, files, sockets, cgroups } = value;
  const texts = [hub?.startTime, hub?.machine, hub?.boot, hub?.pidNamespace, ...list(sockets), ...list(cgroups)];
  const stamps = list(files).flatMap((file) => [file?.path, file?.stamp]);
  const isWhole = [sockets, cgroups, files].every((part) => Array.isArray(part));
  const allTexts = [...texts, ...stamps].every((text) => typeof text === "string");
  return isHubMark(value) && isWhole && allTexts && Number.isInteger(hub.pid) && hub.pid > 0;
}

function list<T>(value: readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [];
}

/** A file that somebody writes just now is left alone. */
function isOld(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > 60_000;
}
