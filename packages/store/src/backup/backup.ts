import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { Worker } from "node:worker_threads";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Failure } from "../failure.ts";

/**
 * Copies a database while it is in use. The copy is one moment's, complete and on disk when this resolves; until then nothing
 * can be mistaken for it, and nothing that is there is overwritten.
 * @throws {HubError} `ALREADY_EXISTS`, `INVALID_ARGUMENT` for a relative path or a directory that is not there,
 * `RESOURCE_EXHAUSTED` for a full disk
 */
export async function backupDatabase(file: string, target: string): Promise<void> {
  if (!isAbsolute(target))
    throw new HubError(ErrorCode.InvalidArgument, `A backup needs an absolute path: "${target}"`);
  // Whoever makes the file has its name, so that two backups cannot meet.
  await reserve(target);
  const partial = join(dirname(target), `.${basename(target)}.${process.pid}.partial`);
  try {
    await rm(partial, { force: true });
    await (await open(partial, "wx", 0o600)).close();
    await copy(file, partial);
    await sync(partial);
    await rename(partial, target);
    await sync(dirname(target));
  } catch (error) {
    await Promise.all([rm(partial, { force: true }), rm(target, { force: true })]);
    if (error instanceof HubError) throw error;
    throw new HubError(ErrorCode.Unavailable, `Cannot write backup "${target}": ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function reserve(target: string): Promise<void> {
  try {
    await (await open(target, "wx", 0o600)).close();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") {
      const what = `Backup "${target}" exists already and is not overwritten`;
      throw new HubError(ErrorCode.AlreadyExists, what, { cause: error });
    }
    throw new HubError(ErrorCode.InvalidArgument, `Cannot make backup "${target}": ${message}`, { cause: error });
  }
}

async function copy(file: string, target: string): Promise<void> {
  const url = new URL(`./backup-thread.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);
  const worker = new Worker(url, { workerData: { file, target }, name: "store-backup" });
  const failure = await new Promise<Failure | undefined>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new HubError(ErrorCode.Internal, "The thread of the backup ended early")));
  });
  if (failure === undefined) return;
  const message = failure.message.replace(`database "${file}"`, `the copy of database "${file}"`);
  throw new HubError(failure.code, message);
}

/** Files and, where the system lets them be opened, directories. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, "r").catch(() => undefined);
  if (handle === undefined) return;
  try {
    await handle.sync();
  } catch (error) {
    // Windows does not sync what is open for reading, nor directories at all.
    if ((error as NodeJS.ErrnoException).code !== "EPERM" && (error as NodeJS.ErrnoException).code !== "EISDIR")
      throw error;
  } finally {
    await handle.close();
  }
}
