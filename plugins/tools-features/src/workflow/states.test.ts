import { describe, expect, it } from "vitest";
import { KINDS } from "../records/feature.ts";
import { isActive, matchesStatus, nextStep, normaliseStatus, requireStatus, STATUSES, type Status } from "./states.ts";

function way(kind: string): readonly string[] {
  const seen: string[] = [];
  for (let status: Status | undefined = "todo"; status !== undefined; ) {
    const step = nextStep(status, kind);
    if (step !== undefined) {
      const gate = step.gate === undefined ? "free" : step.gateSkipped ? "skipped" : step.gate.section;
      seen.push(`${step.from} -> ${step.to}: ${gate}`);
    }
    status = step?.to;
  }
  return seen;
}

describe("the workflow", () => {
  it.each(["feature", "chore"])("leads a %s through code, tests and documentation to review", (kind) => {
    expect(way(kind)).toEqual([
      "todo -> in-progress: free",
      "in-progress -> in-testing: Changes",
      "in-testing -> in-docs: Results",
      "in-docs -> in-review: Docs",
    ]);
  });

  it.each(["bug", "hotfix", "testcase"])("leads a %s from testing to review without a second gate", (kind) => {
    expect(way(kind)).toEqual([
      "todo -> in-progress: free",
      "in-progress -> in-testing: Changes",
      "in-testing -> in-review: skipped",
    ]);
  });

  it("starts again after edits, and ends in review and when done", () => {
    for (const kind of KINDS) {
      expect(nextStep("needs-edits", kind)).toMatchObject({ to: "in-progress", gateSkipped: false });
      expect(nextStep("in-review", kind)).toBeUndefined();
      expect(nextStep("done", kind)).toBeUndefined();
    }
  });

  it.each<readonly [string, string]>([
    ["backlog", "todo"],
    ["ready-for-testing", "in-testing"],
    ["ready-for-docs", "in-docs"],
    ["documented", "in-review"],
    ...STATUSES.map((status) => [status, status] as const),
  ])("reads %s as %s", (stored, status) => {
    expect(normaliseStatus(stored)).toBe(status);
    expect(matchesStatus(stored, status)).toBe(true);
  });

  it.each(["doing", "", "toString", "__proto__", "Todo"])("does not guess what %j means", (stored) => {
    expect(normaliseStatus(stored)).toBeUndefined();
    expect(() => requireStatus("FEAT-X", stored)).toThrow(expect.objectContaining({ code: "workflow_error" }));
    expect(matchesStatus(stored, stored)).toBe(true);
  });

  it("counts four states as active", () => {
    expect(STATUSES.filter(isActive)).toEqual(["in-progress", "in-testing", "in-docs", "in-review"]);
    expect(isActive("documented")).toBe(true);
  });
});
