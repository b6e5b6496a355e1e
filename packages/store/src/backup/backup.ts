import { randomBytes } from "node:crypto";
import { link, open, rename, rm } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { copyDatabase } from "./copy.ts";
import { isThere, syncPath } from "./paths.ts";

/**
 * Copies a database while it is in use. The copy is one moment's, complete and on disk when it gets its name; what a crash leaves
 * has another one, and nothing that is there is overwritten.
 * @throws {HubError} `ALREADY_EXISTS`, `INVALID_ARGUMENT` for a relative path or a directory that is not there,
 * `RESOURCE_EXHAUSTED` for a full disk
 */
export async function backupDatabase(file: string, target: string): Promise<void> {
  if (!isAbsolute(target))
    throw new HubError(ErrorCode.InvalidArgument, `A backup needs an absolute path: "${target}"`);
  if (await isThere(target)) throw exists(target);
  const partial = join(dirname(target), `.backup-${randomBytes(6).toString("hex")}.partial`);
  await make(partial, target);
  try {
    await copyDatabase(file, partial);
    await syncPath(partial);
    await giveName(partial, target);
    await syncPath(dirname(target));
  } catch (error) {
    if (error instanceof HubError) throw error;
    throw new HubError(ErrorCode.Unavailable, `Cannot write backup "${target}": ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    // SQLite has a journal of its own for a copy that was not finished.
    for (const path of [partial, `${partial}-journal`]) await rm(path, { force: true });
  }
}

function exists(target: string, cause?: unknown): HubError {
  const what = `Backup "${target}" exists already and is not overwritten`;
  return new HubError(ErrorCode.AlreadyExists, what, { cause });
}

async function make(path: string, target: string): Promise<void> {
  try {
    await (await open(path, "wx", 0o600)).close();
  } catch (error) {
    const { message } = error as Error;
    throw new HubError(ErrorCode.InvalidArgument, `Cannot make backup "${target}": ${message}`, { cause: error });
  }
}

/** Unlike a renaming, a second name is refused where there is such a file by now. */
async function giveName(partial: string, target: string): Promise<void> {
  try {
    await link(partial, target);
  } catch (error) {
    if (await isThere(target)) throw exists(target, error);
    // Some file systems know one name for each file.
    await rename(partial, target);
  }
}
