import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { describeFailure, FailureError } from "../failure.ts";
import { checkSchema, schemaVersion } from "../schema/migrate.ts";
import { checkLog, unchanging } from "../writer/database-file.ts";
import type { CopyAnswer, CopyCounts } from "./copy.ts";

export interface CopyWork {
  readonly file: string;
  /** undefined: only look. */
  readonly target: string | undefined;
  /** The file is somebody's word: it is checked before it is copied. */
  readonly isBackup: boolean;
}

/** Copies a database, in a thread of its own: it takes as long as reading and writing all of it. */
const { file, target, isBackup } = workerData as CopyWork;

function answer(): CopyAnswer {
  try {
    if (isBackup) checkLog(file);
    // A reader of its own sees one moment, whatever is written meanwhile, and holds up no writer.
    const db = new DatabaseSync(isBackup ? untouched(file) : file, { readOnly: true, timeout: 5_000 });
    try {
      const counts = isBackup ? checked(db) : undefined;
      if (target !== undefined) db.prepare("VACUUM INTO ?").run(target);
      return counts === undefined ? {} : { counts };
    } finally {
      db.close();
    }
  } catch (error) {
    return { failure: describeFailure(error, file) };
  }
}

/**
 * SQLite makes a log beside a database that is written with one, also to read it. A copy that has none is not in use, and is read
 * as it stands: it may be in a place where nobody may write.
 */
function untouched(file: string): string | URL {
  const isAlone = ["-wal", "-shm", "-journal"].every((end) => !existsSync(`${file}${end}`));
  return isAlone ? unchanging(file) : file;
}

function checked(db: DatabaseSync): CopyCounts {
  checkSchema(db, file);
  if (schemaVersion(db) === 0) {
    throw new FailureError("FAILED_PRECONDITION", `Database "${file}" is empty, so no hub wrote it`);
  }
  const [found] = Object.values(db.prepare("PRAGMA integrity_check(1)").get() ?? {});
  if (found !== "ok") throw new FailureError("DATA_LOSS", `Database "${file}" is damaged (${String(found)})`);
  const count = (table: string) =>
    (db.prepare(`SELECT count(*) AS count FROM ${table}`).get() as { count: number }).count;
  return { entries: count("kv_entries"), events: count("plugin_events") };
}

parentPort!.postMessage(answer());
