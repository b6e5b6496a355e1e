import { describe, expect, it } from "vitest";
import { withFeature } from "../../test/session.ts";

describe("get_gate_requirements", () => {
  it.each([
    ["feature", "todo", "The way is free."],
    ["feature", "in-progress", '- **Section:** "## Changes"'],
    ["feature", "in-testing", '- **Section:** "## Results"'],
    ["feature", "in-docs", '- **Section:** "## Docs"'],
    ["feature", "in-review", "submit_review"],
    ["feature", "done", "there is no next step"],
    ["bug", "in-testing", "not checked for kind bug"],
  ])("says for a %s in %s: %s", async (kind, status, expected) => {
    const { session, id, one } = await withFeature({ kind });
    if (kind === "bug") await session.bring(id, "in-testing");
    else await session.bring(id, status);
    const text = await session.text("get_gate_requirements", one);
    expect(text).toContain(`## Gate Requirements: ${id}`);
    expect(text).toContain(expected);
  });

  it("shows an example that opens the gate", async () => {
    const { session, id, one } = await withFeature();
    await session.bring(id, "in-progress");
    for (const next of ["in-testing", "in-docs", "in-review"]) {
      const text = await session.text("get_gate_requirements", one);
      const evidence = /```markdown\n(.*?)\n```/s.exec(text)?.[1];
      expect(await session.call("advance_feature", { ...one, evidence })).toMatchObject({ to: next });
    }
  });
});
