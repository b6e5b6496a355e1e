import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describeFailure } from "./failure.ts";
import { checkSchema } from "./schema/migrate.ts";
import { checkLog, realFile, unchanging } from "./writer/database-file.ts";
import { holderOf, OwnerLock } from "./writer/owner-lock.ts";
import { toHubError } from "./writer/thread.ts";

/** What a look at a database found: nothing yet, one that opens, or one that a hub has; `holder` is that process, if it says. */
export type StoreInspection =
  | { readonly is: "absent" }
  | { readonly is: "free"; readonly bytes: number }
  | { readonly is: "held"; readonly bytes: number; readonly holder: number | undefined };

/**
 * Looks whether a store could be opened, and changes nothing.
 * @param file absolute
 * @throws {HubError} as `Store.open`: why it could not
 */
export function inspectStore(file: string): StoreInspection {
  try {
    const isHeld = OwnerLock.isTaken(file);
    // Not while this very process has it open: see `checkLog`.
    if (!isHeld) checkLog(realFile(file));
    const { size } = statSync(file, { throwIfNoEntry: false }) ?? {};
    if (size === undefined) return { is: "absent" };
    // Without a log beside it, it can be read as it is, and no file has to be made for that.
    const asIs = !isHeld && !existsSync(`${file}-wal`);
    const db = new DatabaseSync(asIs ? unchanging(file) : file, { readOnly: true });
    try {
      checkSchema(db, file);
    } finally {
      db.close();
    }
    if (!isHeld) return { is: "free", bytes: size };
    return { is: "held", bytes: size, holder: holderOf(file) };
  } catch (error) {
    throw toHubError(describeFailure(error, file));
  }
}
