import { ToolError } from "@orchestrator/runtime";
import { transitionEntry } from "../records/body.ts";
import { kindOf } from "../records/feature.ts";
import { lockOn, withLock, withoutLock } from "../records/locks.ts";
import type { FeatureRecord } from "../store/features.ts";
import type { Workspace } from "../store/workspace.ts";
import { checkGate } from "../workflow/gates.ts";
import { checkLock } from "../workflow/guards.ts";
import { nextStep, requireStatus, type Status, type Step } from "../workflow/states.ts";
import { startFeature } from "./start.ts";

/** A move that a tool asks for. */
export interface Move {
  readonly slug: string;
  readonly id: string;
  readonly evidence: string;
  /** The user has approved files of an unexpected kind. */
  readonly force: boolean;
  /** Throws where the tool that asks does not make this step. */
  readonly accept?: (step: Step, record: FeatureRecord) => void;
}

export interface Moved {
  readonly record: FeatureRecord;
  readonly from: Status;
  readonly to: Status;
  /** What went wrong after the move itself was made, or "". */
  readonly remark: string;
}

/**
 * Takes a feature one step forward: lock, gate, and where work starts the WIP rules. Evidence joins the record on every
 * step that has a gate.
 * @throws {ToolError} `workflow_error`, `session_lock`, `gate_blocked`, `needs_approval`, `wip_violation`
 */
export async function advance(workspace: Workspace, move: Move): Promise<Moved> {
  const { slug, id } = move;
  const first = stepOf(await workspace.features.get(slug, id), move);
  if (first.to === "in-progress") {
    // Unlike the other steps this one depends on what else is under way.
    let step = first;
    const check = (record: FeatureRecord) => {
      step = stepOf(record, move);
      if (step.to !== "in-progress") throw movedMeanwhile(id, step.from);
    };
    const record = await startFeature(workspace, { slug, id, check });
    return { record, from: step.from, to: step.to, remark: "" };
  }
  let step = first;
  const record = await workspace.features.update(slug, id, async (current) => {
    step = stepOf(current, move);
    if (step.to === "in-progress") throw movedMeanwhile(id, step.from);
    const locks = await workspace.locks.read(slug);
    checkLock(locks.table, id, workspace.holder, workspace.now());
    return gated(step, move, workspace.timestamp());
  });
  return { record, from: step.from, to: step.to, remark: await settleLock(workspace, slug, id, step.to) };
}

/** Releases the lock of a finished feature; keeps the caller's own lock fresh otherwise. */
export async function settleLock(workspace: Workspace, slug: string, id: string, status: Status): Promise<string> {
  const { holder } = workspace;
  try {
    await workspace.locks.update(slug, (table) => {
      const held = table.locks.find((lock) => lock.featureId === id);
      if (held === undefined) return table;
      if (status === "done") return withoutLock(table, id);
      const now = workspace.now();
      return held.holder === holder && lockOn(table, id, now) ? withLock(table, id, holder, now) : table;
    });
    return "";
  } catch (error) {
    // The move is on disk; to report a failure would make the caller repeat it.
    return `> The lock on ${id} could not be updated: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function stepOf(record: FeatureRecord, move: Move): Step {
  const { feature } = record;
  const from = requireStatus(feature.id, feature.status);
  const step = nextStep(from, kindOf(feature));
  if (step === undefined) throw noWayForward(feature.id, from);
  move.accept?.(step, record);
  return step;
}

function gated(step: Step, move: Move, at: string) {
  const fields = { status: step.to };
  if (step.gate === undefined) return { fields };
  if (!step.gateSkipped) {
    const verdict = checkGate(step.gate, move.evidence, move.force);
    if (!verdict.passed) throw new ToolError(verdict.code, verdict.message);
  }
  if (move.evidence.trim() === "") return { fields };
  return { fields, append: transitionEntry(step.from, step.to, at, move.evidence) };
}

function noWayForward(id: string, from: Status): ToolError {
  if (from !== "in-review") return new ToolError("workflow_error", `${id} is ${from}; there is no further step`);
  return new ToolError(
    "gate_blocked",
    `${id} is in review, and only a person decides about that: show the work to the user, then call submit_review ` +
      "with their decision",
  );
}

function movedMeanwhile(id: string, status: Status): ToolError {
  return new ToolError("workflow_error", `${id} was moved to ${status} by somebody else meanwhile; look at it again`);
}
