import { ToolError } from "@orchestrator/runtime";
import { CODE_COMPLETE, DOCS_COMPLETE, type Gate, TEST_COMPLETE } from "./gates.ts";

/** The states of a feature, in the order of the work. */
export const STATUSES = ["todo", "in-progress", "in-testing", "in-docs", "in-review", "needs-edits", "done"] as const;
export type Status = (typeof STATUSES)[number];

/** Names of an older, longer workflow that records may still carry. */
const LEGACY: Readonly<Record<string, Status>> = {
  backlog: "todo",
  "ready-for-testing": "in-testing",
  "ready-for-docs": "in-docs",
  documented: "in-review",
};

/** Small or urgent work goes from testing straight to review: it has no documentation of its own. */
const SHORT_KINDS: ReadonlySet<string> = new Set(["bug", "hotfix", "testcase"]);

/** One way forward. */
export interface Step {
  readonly from: Status;
  readonly to: Status;
  /** What evidence must show; absent where the way is free. */
  readonly gate?: Gate;
  /** The gate stands on this way but is not checked for this kind of feature. */
  readonly gateSkipped: boolean;
}

/** The state meant by a stored status, or undefined for a word that no workflow ever used. */
export function normaliseStatus(stored: string): Status | undefined {
  if ((STATUSES as readonly string[]).includes(stored)) return stored as Status;
  return Object.hasOwn(LEGACY, stored) ? LEGACY[stored] : undefined;
}

/** @throws {ToolError} `workflow_error` */
export function requireStatus(id: string, stored: string): Status {
  const status = normaliseStatus(stored);
  if (status !== undefined) return status;
  throw new ToolError(
    "workflow_error",
    `${id} has the unknown status "${stored}"; set it to one of ${STATUSES.join(", ")} in its front matter`,
  );
}

/** Someone is working on it, or it waits for the review of that work. */
export function isActive(stored: string): boolean {
  const status = normaliseStatus(stored);
  return status === "in-progress" || status === "in-testing" || status === "in-docs" || status === "in-review";
}

/** Whether a stored status is what a filter asks for, by either of its names. */
export function matchesStatus(stored: string, wanted: string): boolean {
  return stored === wanted || normaliseStatus(stored) === wanted;
}

/** Where `advance_feature` leads from here: undefined in review, which a person decides, and when done. */
export function nextStep(from: Status, kind: string): Step | undefined {
  const short = SHORT_KINDS.has(kind);
  switch (from) {
    case "todo":
    case "needs-edits":
      return { from, to: "in-progress", gateSkipped: false };
    case "in-progress":
      return { from, to: "in-testing", gate: CODE_COMPLETE, gateSkipped: false };
    case "in-testing":
      return { from, to: short ? "in-review" : "in-docs", gate: TEST_COMPLETE, gateSkipped: short };
    case "in-docs":
      return { from, to: "in-review", gate: DOCS_COMPLETE, gateSkipped: short };
    case "in-review":
    case "done":
      return undefined;
  }
}

/** @throws {ToolError} `workflow_error` for a feature that is neither waiting to be started nor to be reworked */
export function requireStartable(id: string, stored: string): Status {
  const status = requireStatus(id, stored);
  if (status === "todo" || status === "needs-edits") return status;
  throw new ToolError("workflow_error", `${id} is ${status}; only features in todo or needs-edits can be started`);
}
