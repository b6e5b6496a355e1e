import { describe, expect, it } from "vitest";
import { withFeature } from "../../test/session.ts";

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
