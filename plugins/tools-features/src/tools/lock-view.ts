import { type LockTable, lockedByOther, NO_LOCKS } from "../records/locks.ts";
import { UnreadableRecord } from "../store/documents.ts";
import type { Workspace } from "../store/workspace.ts";

/** The locks as a reader sees them. */
export interface LockView {
  readonly table: LockTable;
  readonly isLockedByOther: (feature: { readonly id: string }) => boolean;
  readonly unreadable: readonly UnreadableRecord[];
}

/** For tools that only look: a damaged lock table is reported and does not hide the features. */
export async function lockView(workspace: Workspace, slug: string): Promise<LockView> {
  const unreadable: UnreadableRecord[] = [];
  const table = await workspace.locks.read(slug).then(
    (record) => record.table,
    (error: Error) => {
      if (!(error.cause instanceof UnreadableRecord)) throw error;
      unreadable.push(error.cause);
      return NO_LOCKS;
    },
  );
  const isLockedByOther = (feature: { readonly id: string }) =>
    lockedByOther(table, feature.id, workspace.holder, workspace.now());
  return { table, isLockedByOther, unreadable };
}
