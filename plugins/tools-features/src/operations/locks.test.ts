import { ErrorCode, HubError } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { EVIDENCE, withFeature } from "../../test/session.ts";

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
