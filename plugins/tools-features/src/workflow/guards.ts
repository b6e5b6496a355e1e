import { ToolError } from "@orchestrator/runtime";
import type { Feature } from "../records/feature.ts";
import { isClaimed, type LockTable, lockedByOther, lockOn } from "../records/locks.ts";
import { isActive, normaliseStatus } from "./states.ts";

/** A feature at the version that was read. */
export interface Seen {
  readonly feature: Feature;
  readonly version: number;
}

/** Everything that decides whether a feature may start, read at one moment. */
export interface Board {
  readonly features: readonly Seen[];
  readonly locks: LockTable;
  /** Features in progress at once, in the whole project; undefined where no limit was set. */
  readonly wipLimit: number | undefined;
  /** The calling session, as lock holder. */
  readonly holder: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** @throws {ToolError} `session_lock` */
export function checkLock(locks: LockTable, featureId: string, holder: string, now: number): void {
  if (!lockedByOther(locks, featureId, holder, now)) return;
  const since = lockOn(locks, featureId, now)?.lockedAt;
  throw new ToolError(
    "session_lock",
    `${featureId} is locked by another session since ${since}. Locks expire 30 minutes after their last use; ` +
      "work on something else, or release it with unlock_feature if that session is gone",
  );
}

/**
 * Refuses to start a feature where that breaks the WIP limit of the project, or where its assignee is at work on
 * another one. Without an assignee, all unassigned features count as one person's. Features that other sessions have
 * locked are their business and do not keep this session busy; against the limit they count like any other.
 * @throws {ToolError} `wip_violation`
 */
export function checkWip(board: Board, starting: Seen): void {
  const others = board.features.filter((record) => record.feature.id !== starting.feature.id);
  const problems = [limitProblem(board, others), assigneeProblem(board, others, starting.feature.assignee)];
  const message = problems.filter((problem) => problem !== undefined).join(". ");
  if (message !== "") throw new ToolError("wip_violation", `Cannot start ${starting.feature.id}: ${message}`);
}

function limitProblem(board: Board, others: readonly Seen[]): string | undefined {
  if (board.wipLimit === undefined) return undefined;
  const running = others.filter((record) => isInProgress(board, record));
  if (running.length < board.wipLimit) return undefined;
  return `the WIP limit of ${board.wipLimit} is reached by ${named(running)}; finish one first or raise the limit with set_wip_limits`;
}

function assigneeProblem(board: Board, others: readonly Seen[], assignee: string): string | undefined {
  const busy = others.filter(
    (record) =>
      record.feature.assignee === assignee &&
      (isActive(record.feature.status) || isInProgress(board, record)) &&
      !lockedByOther(board.locks, record.feature.id, board.holder, board.now),
  );
  if (busy.length === 0) return undefined;
  const who = assignee === "" ? "unassigned work" : `work of ${assignee}`;
  return `one feature at a time, and ${named(busy)} is active ${who}; bring it to done first`;
}

function isInProgress(board: Board, record: Seen): boolean {
  if (normaliseStatus(record.feature.status) === "in-progress") return true;
  return isClaimed(board.locks, record.feature.id, record.version, board.now);
}

function named(records: readonly Seen[]): string {
  return records.map(({ feature }) => `${feature.id} (${feature.title}, ${feature.status})`).join(", ");
}
