import type { DatabaseSync } from "node:sqlite";
import { FailureError } from "../failure.ts";
import { MIGRATIONS } from "./migrations.ts";

/** Marks a file as ours: the letters "Orch". */
const APPLICATION_ID = 0x4f72_6368;

/**
 * Only reads.
 * @throws {FailureError} `FAILED_PRECONDITION` for a file that is not ours, or newer than this program
 */
export function checkSchema(db: DatabaseSync, file: string, migrations = MIGRATIONS): void {
  checkOwner(db, file);
  const current = schemaVersion(db);
  if (current <= migrations.length) return;
  const what = `Database "${file}" has schema ${current}, and this program knows schemas up to ${migrations.length}`;
  throw new FailureError("FAILED_PRECONDITION", `${what}. Use the newer program that wrote it; nothing was changed`);
}

/** Brings the schema up to date, one transaction per step. */
export function migrate(db: DatabaseSync, migrations = MIGRATIONS): void {
  for (let version = schemaVersion(db) + 1; version <= migrations.length; version++) {
    db.exec("BEGIN IMMEDIATE");
    try {
      db.exec(migrations[version - 1]!);
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version}`);
      db.exec("COMMIT");
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  }
}

export function schemaVersion(db: DatabaseSync): number {
  return pragma(db, "user_version");
}

/** Whatever somebody else keeps in a file is none of our business, even if it happens to lie under our name. */
function checkOwner(db: DatabaseSync, file: string): void {
  if (pragma(db, "application_id") === APPLICATION_ID) return;
  const { count } = db.prepare("SELECT count(*) AS count FROM sqlite_schema").get() as { count: number };
  if (count === 0 && schemaVersion(db) === 0) return;
  const what = `"${file}" is a database of another program; nothing was changed`;
  throw new FailureError("FAILED_PRECONDITION", `${what}. Move it away, or let the hub keep its database elsewhere`);
}

function pragma(db: DatabaseSync, name: "application_id" | "user_version"): number {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number;
}
