import { Worker } from "node:worker_threads";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Failure } from "../failure.ts";
import type { CopyWork } from "./backup-thread.ts";

/** What a database holds. */
export interface CopyCounts {
  readonly entries: number;
  readonly events: number;
}

/** Copies a database that may be in use. @param target there, and empty @throws {HubError} what went wrong, in words about a copy */
export async function copyDatabase(file: string, target: string): Promise<void> {
  const { failure } = await inThread({ file, target, isBackup: false });
  if (failure === undefined) return;
  throw new HubError(failure.code, failure.message.replace(`database "${file}"`, `the copy of database "${file}"`));
}

/**
 * Reads all of a backup, and writes what it holds into a new database.
 * @param target there, and empty; undefined to check alone
 * @throws {HubError} what went wrong, in words about a backup
 */
export async function checkedCopy(backup: string, target: string | undefined): Promise<CopyCounts> {
  const { failure, counts } = await inThread({ file: backup, target, isBackup: true });
  if (failure === undefined) return counts!;
  const { code, message } = failure;
  if (code === "RESOURCE_EXHAUSTED") {
    const what = `There is no room left for a copy of "${backup}" beside the database`;
    throw new HubError(code, `${what}. Nothing was restored`);
  }
  const [what] = message.replace(/database "/i, 'backup "').split(". ");
  throw new HubError(code, `${what!.charAt(0).toUpperCase()}${what!.slice(1)}. Nothing was restored`);
}

/** What the thread answers. */
export interface CopyAnswer {
  readonly failure?: Failure;
  readonly counts?: CopyCounts;
}

async function inThread(work: CopyWork): Promise<CopyAnswer> {
  const url = new URL(`./backup-thread.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);
  const worker = new Worker(url, { workerData: work, name: "store-backup" });
  return await new Promise<CopyAnswer>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new HubError(ErrorCode.Internal, "The thread of the backup ended early")));
  });
}
