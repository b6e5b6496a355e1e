import { existsSync } from "node:fs";
import { chown, constants, copyFile, link, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { describeFailure, FailureError } from "../failure.ts";
import { realFile } from "../writer/database-file.ts";
import { OwnerLock } from "../writer/owner-lock.ts";
import { toHubError } from "../writer/thread.ts";
import { type CopyCounts, checkedCopy } from "./copy.ts";
import { isThere, syncPath } from "./paths.ts";

/** The files of a database that hold what it holds. */
const ENDS = ["", "-wal", "-journal"] as const;

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
    if (realBackup(backup) === file) {
      throw new HubError(ErrorCode.InvalidArgument, `"${backup}" is the database itself, not a backup of it`);
    }
    if (dryRun) return { ...(await checkedCopy(backup, undefined)), previous: undefined };
    return await replaceUnderLock(file, backup, now);
  } catch (error) {
    if (error instanceof HubError) throw error;
    throw toHubError(describeFailure(error, options.file));
  }
}

/** @throws {FailureError} in words about a backup */
function realBackup(backup: string): string {
  try {
    return realFile(backup);
  } catch (error) {
    const { code, message } = describeFailure(error, backup);
    throw new FailureError(code, message.replace("Database", "Backup"));
  }
}

async function replaceUnderLock(file: string, backup: string, now: Date): Promise<Restored> {
  const lock = OwnerLock.take(file);
  // The lock makes it this restore's alone. What a killed one left has the same name, so that it does not stay for ever.
  const partial = join(dirname(file), `.${basename(file)}.restoring`);
  const clear = async () => {
    for (const path of [partial, `${partial}-journal`]) await rm(path, { force: true });
  };
  try {
    await clear();
    // Made first, for its rights: they are the hub's user's alone from the first byte on.
    await (await open(partial, "wx", 0o600)).close();
    const counts = await checkedCopy(backup, partial);
    await giveToOwner(partial, file);
    await syncPath(partial);
    settle(file);
    const previous = await keep(file, now);
    try {
      // SQLite would write what is in it into whatever has the database's name.
      await rm(`${file}-journal`, { force: true });
      // Each step is on disk before the next one: what the machine forgets when it goes down is never what came first.
      await syncPath(dirname(file));
      await rename(partial, file);
    } catch (error) {
      if (previous !== undefined) await discard(previous);
      throw error;
    }
    await syncPath(dirname(file));
    // The log goes last. Until then it tells that the file beside it is not its own, and nobody opens the two together.
    for (const end of ["-wal", "-shm"]) await rm(`${file}${end}`, { force: true });
    await syncPath(dirname(file));
    return { ...counts, previous };
  } finally {
    await clear();
    lock.release();
  }
}

/** The superuser restores for the user whose hub it is. */
async function giveToOwner(partial: string, file: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat((await isThere(file)) ? file : dirname(file));
  await chown(partial, uid, gid);
}

/** Lets SQLite end what was cut off while it was written without a log: what is kept can then be read as it is. */
function settle(file: string): void {
  if (!existsSync(`${file}-journal`) || !existsSync(file)) return;
  try {
    using db = new DatabaseSync(file);
    db.prepare("SELECT count(*) FROM sqlite_schema").get();
  } catch {
    // It is damaged. Then it is kept as it is, with its journal.
  }
}

/** Gives what is there a second name, with the logs that belong to it. @returns the name; undefined where nothing is there */
async function keep(file: string, now: Date): Promise<string | undefined> {
  if (!(await isThere(file))) return undefined;
  const stamp = now.toISOString().replace(/[-:]|\.\d+/g, "");
  for (let count = 1; ; count++) {
    const kept = join(dirname(file), `${basename(file)}.before-${stamp}${count === 1 ? "" : `-${count}`}`);
    const isFree = (await Promise.all(ENDS.map((end) => isThere(`${kept}${end}`)))).every((isTaken) => !isTaken);
    if (!isFree) continue;
    try {
      for (const end of ENDS) if (await isThere(`${file}${end}`)) await secondName(`${file}${end}`, `${kept}${end}`);
      return kept;
    } catch (error) {
      await discard(kept);
      throw error;
    }
  }
}

async function discard(kept: string): Promise<void> {
  for (const end of ENDS) await rm(`${kept}${end}`, { force: true });
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
