import { ToolError } from "@orchestrator/runtime";
import type { FeatureRecord } from "../store/features.ts";
import type { Workspace } from "../store/workspace.ts";
import { checkLock } from "../workflow/guards.ts";
import { requireStatus } from "../workflow/states.ts";

/** What a review came to. */
export interface Decision {
  readonly slug: string;
  readonly id: string;
  readonly to: "done" | "needs-edits";
  /** Whether the lock of another session stands in the way. */
  readonly respectLock: boolean;
  /** What joins the record, made from the time; "" for nothing. */
  readonly entry: (at: string) => string;
}

/**
 * Ends a review.
 * @throws {ToolError} `workflow_error` if the feature is not in review, `session_lock`
 */
export function decide(workspace: Workspace, decision: Decision): Promise<FeatureRecord> {
  const { slug, id, to } = decision;
  return workspace.features.update(slug, id, async ({ feature }) => {
    const from = requireStatus(id, feature.status);
    if (from !== "in-review") {
      throw new ToolError("workflow_error", `${id} is ${from}, and a review is decided only from in-review`);
    }
    if (decision.respectLock) {
      const { table } = await workspace.locks.read(slug);
      checkLock(table, id, workspace.holder, workspace.now());
    }
    return { fields: { status: to }, append: decision.entry(workspace.timestamp()) };
  });
}
