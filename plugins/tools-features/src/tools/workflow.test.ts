import { ErrorCode, HubError } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { EVIDENCE, Session, START } from "../../test/session.ts";

async function withFeature(more: Record<string, unknown> = {}) {
  const session = new Session();
  await session.project();
  const id = await session.feature("Login", more);
  return { session, id, one: { project_id: "my-app", feature_id: id }, path: `my-app/features/${id}.md` };
}

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

describe("session locks", () => {
  it("keep other sessions of any process from moving the feature", async () => {
    const { session, id, one } = await withFeature();
    await session.bring(id, "in-progress");
    for (const other of [session.another("session-2"), session.elsewhere("session-3")]) {
      const error = await other.failure("advance_feature", { ...one, evidence: EVIDENCE["in-progress"] });
      expect(error.code).toBe("session_lock");
      expect(error.message).toContain(id);
      expect(error.message).not.toContain("session-1");
    }
    await session.call("advance_feature", { ...one, evidence: EVIDENCE["in-progress"] });
  });

  it("survive a restart of the plugin", async () => {
    const { session, id, one } = await withFeature();
    await session.bring(id, "in-progress");
    const restarted = session.elsewhere("session-2");
    expect((await restarted.failure("advance_feature", { ...one, evidence: "x" })).code).toBe("session_lock");
    await session.elsewhere("session-1").call("advance_feature", { ...one, evidence: EVIDENCE["in-progress"] });
  });

  it("guard reviews and restarts, are released by done, and refreshed by every step", async () => {
    const { session, id, one } = await withFeature();
    const other = session.another("session-2");
    await session.bring(id, "in-progress");
    session.clock.now += 29 * 60_000;
    await session.call("advance_feature", { ...one, evidence: EVIDENCE["in-progress"] });
    session.clock.now += 29 * 60_000;
    expect((await other.failure("advance_feature", { ...one, evidence: "x" })).code).toBe("session_lock");
    await session.call("advance_feature", { ...one, evidence: EVIDENCE["in-testing"] });
    await session.call("advance_feature", { ...one, evidence: EVIDENCE["in-docs"] });
    expect((await other.failure("submit_review", { ...one, status: "approved" })).code).toBe("session_lock");
    await session.call("submit_review", { ...one, status: "needs-edits" });
    expect((await other.failure("set_current_feature", one)).code).toBe("session_lock");
    session.clock.now += 30 * 60_000;
    await other.call("set_current_feature", one);
    expect((await session.failure("advance_feature", { ...one, evidence: "x" })).code).toBe("session_lock");
  });

  it("do not bind or belong to callers without a session", async () => {
    const { session, id, one } = await withFeature();
    await session.bring(id, "in-progress");
    const nobody = session.another("");
    await nobody.call("advance_feature", { ...one, evidence: EVIDENCE["in-progress"] });
    const second = await session.feature("B");
    await session.call("assign_feature", { project_id: "my-app", feature_id: second, assignee: "bob" });
    await nobody.call("set_current_feature", { project_id: "my-app", feature_id: second });
    expect(session.storage.metadata("my-app/locks.json")["locks"]).toHaveLength(1);
  });

  it("are released by unlock_feature, whoever holds them", async () => {
    const { session, id, one } = await withFeature();
    const other = session.another("session-2");
    expect(await other.text("unlock_feature", one)).toBe(`**${id}** was not locked`);
    await session.bring(id, "in-progress");
    expect(await other.text("unlock_feature", one)).toBe(`Unlocked **${id}**`);
    await other.call("advance_feature", { ...one, evidence: EVIDENCE["in-progress"] });
    expect((await other.failure("unlock_feature", { ...one, feature_id: "FEAT-NO" })).code).toBe("not_found");
  });

  it("report a damaged lock table: readers beside the features, movers as a failure", async () => {
    const { session, id, one } = await withFeature();
    await session.bring(id, "in-progress");
    session.storage.damage("my-app/locks.json");
    expect(await session.text("list_features", { project_id: "my-app" })).toContain("- my-app/locks.json: bad");
    expect(await session.text("get_feature", one)).toContain("- my-app/locks.json: bad");
    const error = await session.failure("advance_feature", { ...one, evidence: EVIDENCE["in-progress"] });
    expect([error.code, error.message]).toEqual(["storage_error", "Cannot read my-app/locks.json: bad front matter"]);
  });

  it("do not turn a move that is on disk into a failure", async () => {
    const { session, id, one } = await withFeature();
    await session.bring(id, "in-review");
    session.storage.before = (operation, path) => {
      if (operation === "write" && path === "my-app/locks.json") throw new HubError(ErrorCode.Unavailable, "gone");
    };
    const text = await session.text("submit_review", { ...one, status: "approved" });
    expect(text).toContain("(in-review -> done)");
    expect(text).toContain(`> The lock on ${id} could not be updated: Cannot write my-app/locks.json: gone`);
  });
});

describe("starting work", () => {
  type Call = readonly [tool: string, args: Record<string, unknown>];
  const start = (id: string): Call => ["set_current_feature", { project_id: "my-app", feature_id: id }];
  const advance = (id: string): Call => [
    "advance_feature",
    { project_id: "my-app", feature_id: id, evidence: "start" },
  ];

  it.each([start, advance])("keeps an assignee to one feature, by either tool", async (how) => {
    const { session, id } = await withFeature();
    const second = await session.feature("Second");
    await session.call(...how(id));
    const error = await session.failure(...how(second));
    expect(error.code).toBe("wip_violation");
    expect(error.message).toContain(`${id} (Login, in-progress) is active unassigned work`);
    await session.call("assign_feature", { project_id: "my-app", feature_id: second, assignee: "ada" });
    await session.call(...how(second));
    const third = await session.feature("Third");
    await session.call("assign_feature", { project_id: "my-app", feature_id: third, assignee: "ada" });
    const busy = await session.failure(...how(third));
    expect(busy.message).toContain(`${second} (Second, in-progress) is active work of ada`);
  });

  it.each(["in-testing", "in-docs", "in-review"])("counts a feature in %s as active", async (status) => {
    const { session, id } = await withFeature();
    await session.bring(id, status);
    const second = await session.feature("Second");
    const error = await session.failure(...start(second));
    expect([error.code, error.message]).toEqual(["wip_violation", expect.stringContaining(`(Login, ${status})`)]);
  });

  it("lets a session start beside what other sessions have locked", async () => {
    const { session, id } = await withFeature();
    const second = await session.feature("Second");
    await session.call(...start(id));
    await session.another("session-2").call(...start(second));
    const third = await session.feature("Third");
    const error = await session.failure(...start(third));
    expect(error.message).toContain(id);
    expect(error.message).not.toContain(second);
  });

  it.each([start, advance])("enforces the WIP limit for all sessions, and names limit and features", async (how) => {
    const { session, id } = await withFeature();
    const second = await session.feature("Second");
    const third = await session.feature("Third");
    await session.call("set_wip_limits", { project_id: "my-app", max_in_progress: 2 });
    await session.call(...how(id));
    await session.another("session-2").call("set_current_feature", { project_id: "my-app", feature_id: second });
    const error = await session.another("session-3").failure(...how(third));
    expect(error.code).toBe("wip_violation");
    expect(error.message).toContain("the WIP limit of 2 is reached by");
    for (const named of [id, second]) expect(error.message).toContain(named);
    expect(session.storage.metadata(`my-app/features/${third}.md`)["status"]).toBe("todo");
    await session.call("advance_feature", {
      project_id: "my-app",
      feature_id: id,
      evidence: EVIDENCE["in-progress"],
    });
    await session.another("session-3").call(...how(third));
  });

  it("refuses rather than guesses where the limit cannot be read", async () => {
    const { session, id } = await withFeature();
    session.storage.place("my-app/wip.json", { max_in_progress: "none" });
    const error = await session.failure(...start(id));
    expect([error.code, error.message]).toEqual(["storage_error", expect.stringContaining("set_wip_limits repairs")]);
    await session.call("set_wip_limits", { project_id: "my-app", max_in_progress: 1 });
    await session.call(...start(id));
  });

  it("checks the model against the estimate, and leaves no lock behind where it refuses", async () => {
    const { session, id, one } = await withFeature();
    await session.call("set_estimate", { ...one, estimate: "L" });
    const error = await session.failure("set_current_feature", { ...one, model: "claude-haiku" });
    expect(error.code).toBe("model_capability");
    expect(session.storage.files.has("my-app/locks.json")).toBe(false);
    await session.another("session-2").call("set_current_feature", { ...one, model: "claude-opus" });
    expect(session.storage.metadata(`my-app/features/${id}.md`)["status"]).toBe("in-progress");
  });

  it("takes its lock back when the feature cannot be written", async () => {
    const { session, path, id } = await withFeature();
    session.storage.before = (operation, at) => {
      if (operation === "write" && at === path) throw new HubError(ErrorCode.ResourceExhausted, "disk full");
    };
    expect((await session.failure(...start(id))).code).toBe("storage_error");
    expect(session.storage.metadata("my-app/locks.json")).toEqual({ locks: [], claims: [] });
    session.storage.before = undefined;
    await session.another("session-2").call(...start(id));
  });
});

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

describe("get_next_feature", () => {
  it("finds the most urgent one that is free, and the first of equals", async () => {
    const { session, id } = await withFeature();
    const next = async (args = {}, who = session) =>
      (await who.call("get_next_feature", { project_id: "my-app", ...args }))["feature"];
    expect(await next()).toMatchObject({ id });
    const equal = await session.feature("Equal");
    expect(await next()).toMatchObject({ id: [id, equal].sort()[0] });
    const urgent = await session.feature("Urgent", { priority: "P0", kind: "bug" });
    expect(await next()).toMatchObject({ id: urgent });
    expect(await next({ kind: "feature" })).toMatchObject({ id: [id, equal].sort()[0] });
    await session.call("assign_feature", { project_id: "my-app", feature_id: equal, assignee: "ada" });
    expect(await next({ assignee: "ada" })).toMatchObject({ id: equal });
    expect(await next({ assignee: "bob" })).toBeUndefined();
    expect(await next({ status: "done" })).toBeUndefined();
    await session.bring(urgent, "needs-edits");
    expect(await next({ status: "needs-edits" })).toMatchObject({ id: urgent });
    expect(await next({ status: "needs-edits" }, session.another("session-2"))).toBeUndefined();
  });

  it("begins with its heading, and finding none is no failure", async () => {
    const { session, id } = await withFeature();
    expect(await session.text("get_next_feature", { project_id: "my-app" })).toMatch(
      new RegExp(`^\\*\\*Next feature:\\*\\*\n\n### ${id} — Login`),
    );
    await session.bring(id, "done");
    expect(await session.text("get_next_feature", { project_id: "my-app" })).toBe("No features in status todo found.");
    expect((await session.failure("get_next_feature", { project_id: "nope" })).code).toBe("not_found");
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
