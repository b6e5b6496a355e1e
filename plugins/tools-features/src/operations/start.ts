import { type LockTable, lockOn, withClaim, withLock, withoutClaim, withoutLock } from "../records/locks.ts";
import { CONFLICT } from "../store/conflicts.ts";
import type { FeatureRecord } from "../store/features.ts";
import type { LockRecord } from "../store/locks.ts";
import type { Workspace } from "../store/workspace.ts";
import { checkLock, checkWip } from "../workflow/guards.ts";

/** A feature to bring into in-progress. */
export interface Start {
  readonly slug: string;
  readonly id: string;
  /** Runs on what is really there, after the locks and the WIP rules; throws to refuse. */
  readonly check: (record: FeatureRecord) => void;
}

/**
 * Brings a feature into in-progress and locks it for the calling session, so that the rules about other features hold
 * also when two processes start something at the same moment.
 *
 * The rules look at many records, and the storage compares versions of one. Therefore every start first announces
 * itself in the lock table (a claim), against the version of the table that it read *before* it looked at the features:
 * of two starts one loses, reads again, and counts the other's claim as if it had happened. A claim settles itself when
 * its feature is written, because it names the version before that. A refusal holds against one version of the table,
 * too: a feature that started after the table was read looks like one that nobody has locked.
 */
export function startFeature(workspace: Workspace, start: Start): Promise<FeatureRecord> {
  return workspace.inTurn(`start ${start.slug}`, async () => {
    const undo = { needed: false, lock: false };
    try {
      return await workspace.untilWritten(`feature "${start.id}"`, () => attempt(workspace, start, undo));
    } catch (error) {
      // The lock of a start that came to nothing would keep others out for half an hour. If it cannot be taken back
      // either, it expires, and the first error is the one worth telling.
      if (undo.needed) await takeBack(workspace, start, undo.lock).catch(() => undefined);
      throw error;
    }
  });
}

async function attempt(workspace: Workspace, start: Start, undo: { needed: boolean; lock: boolean }) {
  const { slug, id } = start;
  const { holder } = workspace;
  const locks = await workspace.locks.read(slug);
  const [list, wipLimit] = await Promise.all([workspace.features.list(slug), workspace.wipLimits.get(slug)]);
  // Absent from the list: the direct read says whether it is missing or unreadable.
  const listed = list.records.find((record) => record.feature.id === id);
  const record = listed ?? (await workspace.features.get(slug, id));
  const now = workspace.now();
  checkLock(locks.table, id, holder, now);
  try {
    checkWip({ features: list.records, locks: locks.table, wipLimit, holder, now }, record);
  } catch (error) {
    if (await workspace.locks.isCurrent(slug, locks)) throw error;
    return CONFLICT;
  }
  start.check(record);

  if (!(await announce(workspace, start, locks, record.version))) return CONFLICT;
  // A second round finds the lock of the first; only the first can tell whether there was one before.
  if (!undo.needed) undo.lock = lockOn(locks.table, id, now) === undefined;
  undo.needed = true;
  return workspace.features.write(record, { fields: { status: "in-progress" } });
}

function announce(workspace: Workspace, start: Start, locks: LockRecord, version: number): Promise<boolean> {
  const now = workspace.now();
  const locked = withLock(locks.table, start.id, workspace.holder, now);
  return workspace.locks.write(start.slug, locks, withClaim(locked, start.id, version, now));
}

function takeBack(workspace: Workspace, start: Start, lock: boolean): Promise<void> {
  // Not one that another session took after an unlock.
  const isOwn = (table: LockTable) =>
    table.locks.find(({ featureId }) => featureId === start.id)?.holder === workspace.holder;
  const release = (table: LockTable) => (lock && isOwn(table) ? withoutLock(table, start.id) : table);
  return workspace.locks.update(start.slug, (table) => release(withoutClaim(table, start.id)));
}
