import { randomBytes } from "node:crypto";
import { constants, copyFile, link, lstat, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { describeFailure } from "../failure.ts";
import { realFile } from "../writer/database-file.ts";
import { OwnerLock } from "../writer/owner-lock.ts";
import { toHubError } from "../writer/thread.ts";
import { type CopyCounts, checkedCopy } from "./copy.ts";
import { syncPath } from "./sync.ts";

export interface RestoreOptions {
  /** Absolute: the store that is to hold what the backup holds. Made, with its directory, where it is missing. */
  readonly file: string;
  /** Absolute: a file that `Store.backup` wrote, or a whole database with its log beside it. It is only read. */
  readonly backup: string;
  /** Check and count alone. Default: false. */
  readonly dryRun?: boolean | undefined;
  /** Names what was there before. Default: now. */
  readonly now?: Date | undefined;
}

/** What a backup holds, and where that is now which was there before. */
export interface Restored extends CopyCounts {
  /** The database that was replaced; undefined where there was none. */
  readonly previous: string | undefined;
}

/**
 * Puts a backup in the place of a store that nobody uses. All of the backup is read and checked before anything changes, and the
 * database that was there is kept beside it under another name, with its log. A crash leaves the one or the other, or one that is
 * refused at the next start because the old log is still there; then do it again.
 * @throws {HubError} `ALREADY_EXISTS` while a hub has the store, `NOT_FOUND` without the backup, `DATA_LOSS` for a damaged one,
 * `FAILED_PRECONDITION` for one that is empty, newer or another program's, `RESOURCE_EXHAUSTED` for a full disk
 */
export async function restoreDatabase(options: RestoreOptions): Promise<Restored> {
  const { backup, dryRun = false, now = new Date() } = options;
  for (const path of [options.file, backup]) {
    if (!isAbsolute(path)) throw new HubError(ErrorCode.InvalidArgument, `A restore needs absolute paths: "${path}"`);
  }
  if (!(await isThere(backup))) throw new HubError(ErrorCode.NotFound, `There is no backup "${backup}"`);
  try {
    if (!dryRun) await mkdir(dirname(options.file), { recursive: true, mode: 0o700 });
    const file = realFile(options.file);
    if (realFile(backup) === file) {
      throw new HubError(ErrorCode.InvalidArgument, `"${backup}" is the database itself, not a backup of it`);
    }
    if (dryRun) return { ...(await checkedCopy(backup, undefined)), previous: undefined };
    return await replaceUnderLock(file, backup, now);
  } catch (error) {
    if (error instanceof HubError) throw error;
    throw toHubError(describeFailure(error, options.file));
  }
}

async function replaceUnderLock(file: string, backup: string, now: Date): Promise<Restored> {
  const lock = OwnerLock.take(file);
  const partial = join(dirname(file), `.restore-${randomBytes(6).toString("hex")}.partial`);
  try {
    // Made first, for its rights: they are the hub's user's alone from the first byte on.
    await (await open(partial, "wx", 0o600)).close();
    const counts = await checkedCopy(backup, partial);
    await syncPath(partial);
    const previous = await keep(file, now);
    await rename(partial, file);
    // The log goes last. Until then it tells that the file beside it is not its own, and nobody opens the two together.
    for (const end of ["-wal", "-shm"]) await rm(`${file}${end}`, { force: true });
    await syncPath(dirname(file));
    return { ...counts, previous };
  } finally {
    for (const path of [partial, `${partial}-journal`]) await rm(path, { force: true });
    lock.release();
  }
}

/** Gives what is there a second name, with the log that belongs to it. @returns the name; undefined where nothing is there */
async function keep(file: string, now: Date): Promise<string | undefined> {
  if (!(await isThere(file))) return undefined;
  const stamp = now.toISOString().replace(/[-:]|\.\d+/g, "");
  for (let count = 1; ; count++) {
    const kept = join(dirname(file), `${basename(file)}.before-${stamp}${count === 1 ? "" : `-${count}`}`);
    try {
      await secondName(file, kept);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") continue;
      throw error;
    }
    if (await isThere(`${file}-wal`)) await secondName(`${file}-wal`, `${kept}-wal`);
    return kept;
  }
}

async function secondName(path: string, other: string): Promise<void> {
  try {
    await link(path, other);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw error;
    // Some file systems know one name for each file.
    await copyFile(path, other, constants.COPYFILE_EXCL);
    await syncPath(other);
  }
}

async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}
