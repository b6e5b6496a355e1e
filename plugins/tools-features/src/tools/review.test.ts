import { describe, expect, it } from "vitest";
import { EVIDENCE, withFeature } from "../../test/session.ts";

describe("request_review", () => {
  it("takes a feature whose next step is the review, through the same gate", async () => {
    const { session, id, one } = await withFeature();
    await session.bring(id, "in-docs");
    expect((await session.failure("request_review", one)).code).toBe("gate_blocked");
    const undocumented = { ...one, evidence: "## Docs\n- see README.md" };
    expect((await session.failure("request_review", undocumented)).code).toBe("needs_approval");
    const text = await session.text("request_review", { ...one, evidence: EVIDENCE["in-docs"] });
    expect(text).toContain(`Requested review of **${id}** (in-docs -> in-review)`);
    expect(await session.text("get_review_queue", { project_id: "my-app" })).toContain("## Review Queue (1)");
    expect(await session.text("get_pending_reviews", { project_id: "my-app" })).toContain("## Pending Reviews (1)");
  });

  it("needs no evidence where the gate is skipped", async () => {
    const { session, id, one, path } = await withFeature({ kind: "hotfix" });
    await session.bring(id, "in-testing");
    const body = session.storage.body(path);
    expect(await session.text("request_review", one)).toContain("(in-testing -> in-review)");
    expect(session.storage.body(path)).toBe(body);
  });

  it.each(["todo", "in-progress", "in-testing"])("names the way for a feature in %s", async (status) => {
    const { session, id, one } = await withFeature();
    await session.bring(id, status);
    const error = await session.failure("request_review", { ...one, evidence: Object.values(EVIDENCE).join("\n") });
    expect([error.code, error.message]).toEqual(["workflow_error", expect.stringContaining("advance_feature")]);
  });
});
