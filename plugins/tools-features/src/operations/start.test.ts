import { ErrorCode, HubError } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { EVIDENCE, withFeature } from "../../test/session.ts";

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
