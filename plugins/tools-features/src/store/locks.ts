import { decodeLocks, encodeLocks, type LockTable, NO_LOCKS } from "../records/locks.ts";
import { paths } from "../records/paths.ts";
import type { RecordAccess } from "./access.ts";
import { CONFLICT } from "./conflicts.ts";
import { orStorageError } from "./documents.ts";

/** The lock table of a project at the version that was read; 0 where there is none yet. */
export interface LockRecord {
  readonly table: LockTable;
  readonly version: number;
  readonly exists: boolean;
}

export class LockStore {
  readonly #access: RecordAccess;

  constructor(access: RecordAccess) {
    this.#access = access;
  }

  async read(slug: string): Promise<LockRecord> {
    const document = await orStorageError(this.#access.documents.peek(paths.locks(slug)));
    if (document === undefined) return { table: NO_LOCKS, version: 0, exists: false };
    return { table: decodeLocks(document.metadata), version: document.version, exists: true };
  }

  /** Whether the table still is as it was read: then nothing has started meanwhile. */
  async isCurrent(slug: string, { version, exists }: LockRecord): Promise<boolean> {
    const latest = await this.read(slug);
    return latest.version === version && latest.exists === exists;
  }

  /** One attempt, against the version of `record`. @returns false where somebody else was faster */
  write(slug: string, record: LockRecord, table: LockTable): Promise<boolean> {
    const { documents } = this.#access;
    const document = { metadata: encodeLocks(table), body: "" };
    const path = paths.locks(slug);
    return record.exists ? documents.replace(path, document, record.version) : documents.create(path, document);
  }

  /** @param change may run more than once; a table that it returns as it is, is not written */
  update(slug: string, change: (table: LockTable) => LockTable): Promise<void> {
    return this.#access.inTurn(paths.locks(slug), () =>
      this.#access.untilWritten(`the locks of project "${slug}"`, async () => {
        const record = await this.read(slug);
        const table = change(record.table);
        if (table === record.table) return undefined;
        return (await this.write(slug, record, table)) ? undefined : CONFLICT;
      }),
    );
  }
}
