import { describe, expect, it } from "vitest";
import { EVIDENCE, Session, START, withFeature } from "../../test/session.ts";

describe("the way of a feature", () => {
  it("leads through all seven states, and the record tells the story", async () => {
    const { session, id, one, path } = await withFeature({ description: "why" });
    const firstLine = async (tool: string, args: object) =>
      (await session.text(tool, { ...one, ...args })).split("\n")[0];
    expect(await firstLine("set_current_feature", {})).toBe(`Set **${id}** to **in-progress** (was todo)`);
    expect(await firstLine("advance_feature", { evidence: EVIDENCE["in-progress"] })).toBe(
      `Advanced **${id}** from **in-progress** to **in-testing**`,
    );
    await session.call("advance_feature", { ...one, evidence: EVIDENCE["in-testing"] });
    await session.call("advance_feature", { ...one, evidence: EVIDENCE["in-docs"] });
    expect(await firstLine("submit_review", { status: "needs-edits", comment: "too slow" })).toBe(
      `Review submitted for **${id}**: **needs-edits** (in-review -> needs-edits)`,
    );
    expect(await firstLine("set_current_feature", {})).toBe(`Set **${id}** to **in-progress** (was needs-edits)`);
    for (const evidence of Object.values(EVIDENCE)) await session.call("advance_feature", { ...one, evidence });
    expect(await firstLine("submit_review", { status: "approved" })).toBe(
      `Review submitted for **${id}**: **approved** (in-review -> done)`,
    );
    const transitions = (["in-progress -> in-testing", "in-testing -> in-docs", "in-docs -> in-review"] as const).map(
      (way, index) => `\n\n---\n**${way}** (${START}):\n${Object.values(EVIDENCE)[index]}\n`,
    );
    expect(session.storage.body(path)).toBe(
      "# Login\n\nwhy\n" +
        transitions.join("") +
        `\n\n---\n**Review (needs-edits)** (${START}): too slow\n` +
        transitions.join(""),
    );
    expect(session.storage.metadata(path)["status"]).toBe("done");
    // One write per step: created, then twice started, three gates, reviewed.
    expect(session.storage.files.get(path)?.version).toBe(11);
    expect(session.storage.metadata("my-app/locks.json")["locks"]).toEqual([]);
  });

  it("is short for a bug, whose evidence is kept though not checked", async () => {
    const { session, id, one, path } = await withFeature({ kind: "bug" });
    await session.bring(id, "in-testing");
    const text = await session.text("advance_feature", { ...one, evidence: "tried it" });
    expect(text).toContain(`Advanced **${id}** from **in-testing** to **in-review**`);
    expect(session.storage.body(path)).toContain(`**in-testing -> in-review** (${START}):\ntried it\n`);
  });

  it("does not move through a closed gate", async () => {
    const { session, id, one, path } = await withFeature();
    await session.bring(id, "in-testing");
    const before = session.storage.files.get(path);
    const blocked = await session.failure("advance_feature", { ...one, evidence: "done, trust me" });
    expect(blocked.code).toBe("gate_blocked");
    const byHand = "## Results\n- clicked through src/main.go";
    expect((await session.failure("advance_feature", { ...one, evidence: byHand })).code).toBe("needs_approval");
    expect(session.storage.files.get(path)).toEqual(before);
    await session.call("advance_feature", { ...one, evidence: byHand, force: true });
    expect(session.storage.metadata(path)["status"]).toBe("in-docs");
  });

  it("wants evidence even where the way is free, and leaves the text alone there", async () => {
    const { session, one, path } = await withFeature();
    expect((await session.failure("advance_feature", one)).code).toBe("validation_error");
    expect((await session.failure("advance_feature", { ...one, evidence: " " })).code).toBe("validation_error");
    await session.call("advance_feature", { ...one, evidence: "off we go" });
    expect(session.storage.body(path)).toBe("# Login\n\n\n");
  });

  it("leaves the end of a review to people, and the end of all at done", async () => {
    const { session, id, one } = await withFeature();
    await session.bring(id, "in-review");
    const error = await session.failure("advance_feature", { ...one, evidence: "x" });
    expect([error.code, error.message]).toEqual(["gate_blocked", expect.stringContaining("submit_review")]);
    await session.call("submit_review", { ...one, status: "approved" });
    for (const [tool, args] of [
      ["advance_feature", { evidence: "x" }],
      ["set_current_feature", {}],
      ["reject_feature", { reason: "x" }],
      ["submit_review", { status: "approved" }],
      ["request_review", {}],
    ] as const) {
      expect((await session.failure(tool, { ...one, ...args })).code, tool).toBe("workflow_error");
    }
  });

  it("understands the words of the older workflow, and no others", async () => {
    const { session, one, path } = await withFeature();
    const become = (status: string) =>
      session.storage.place(path, { ...session.storage.metadata(path), status }, "text\n", 1);
    become("ready-for-testing");
    const text = await session.text("advance_feature", { ...one, evidence: EVIDENCE["in-testing"] });
    expect(text).toContain("from **in-testing** to **in-docs**");
    become("documented");
    await session.call("submit_review", { ...one, status: "approved" });
    expect(session.storage.metadata(path)["status"]).toBe("done");
    become("backlog");
    expect(await session.text("set_current_feature", one)).toContain("(was todo)");
    become("doing");
    const error = await session.failure("advance_feature", { ...one, evidence: "x" });
    expect([error.code, error.message]).toEqual(["workflow_error", expect.stringContaining('"doing"')]);
  });

  it("starts only what waits to be started", async () => {
    const { session, id, one } = await withFeature();
    for (const status of ["in-progress", "in-testing", "in-docs", "in-review"]) {
      await session.call("update_feature", { ...one, title: status });
      if (status === "in-progress") await session.bring(id, status);
      else await session.call("advance_feature", { ...one, evidence: Object.values(EVIDENCE).join("\n") });
      expect((await session.failure("set_current_feature", one)).code).toBe("workflow_error");
    }
  });
});

describe("reject_feature", () => {
  it("sends back from review, with the reason in the record", async () => {
    const { session, id, one, path } = await withFeature();
    expect((await session.failure("reject_feature", { ...one, reason: "r" })).code).toBe("workflow_error");
    await session.bring(id, "in-review");
    const text = await session.another("reviewer").text("reject_feature", { ...one, reason: "slow" });
    expect(text).toContain(`Rejected **${id}** (in-review -> needs-edits): slow`);
    expect(session.storage.body(path)).toMatch(
      /\n\n---\n\*\*Rejected \(in-review -> needs-edits\)\*\* \(2026-11-21T01:36:14Z\): slow\n$/,
    );
  });
});

describe("get_workflow_status and get_progress", () => {
  it("count every status present", async () => {
    const { session, id } = await withFeature();
    await session.feature("B");
    await session.feature("C");
    await session.bring(id, "done");
    const table = "| Status | Count |\n| --- | --- |\n| todo | 2 |\n| done | 1 |\n| **Total** | **3** |";
    expect(await session.text("get_workflow_status", { project_id: "my-app" })).toBe(
      `## Workflow Status: my-app\n\n${table}`,
    );
    expect(await session.text("get_progress", { project_id: "my-app" })).toBe(
      `## Progress: my-app\n\n- **Total:** 3\n- **Done:** 1\n- **Completion:** 33.3%\n\n${table}`,
    );
  });

  it("tell an empty project from none", async () => {
    const session = new Session();
    await session.project();
    expect(await session.text("get_progress", { project_id: "my-app" })).toContain("- **Completion:** 0.0%");
    for (const tool of ["get_progress", "get_workflow_status", "get_review_queue", "get_blocked_features"]) {
      expect((await session.failure(tool, { project_id: "nope" })).code, tool).toBe("not_found");
    }
  });
});
