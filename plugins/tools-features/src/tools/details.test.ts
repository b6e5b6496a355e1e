import { describe, expect, it } from "vitest";
import { START, withFeature } from "../../test/session.ts";

describe("labels", () => {
  it("are a set that keeps its order", async () => {
    const { session, id, one, path } = await withFeature();
    expect(await session.text("add_labels", { ...one, labels: ["b", "a", "b", " "] })).toBe(
      `Labels for **${id}**: b, a`,
    );
    await session.call("add_labels", { ...one, labels: ["a", "c"] });
    expect(session.storage.metadata(path)["labels"]).toEqual(["b", "a", "c"]);
    expect(await session.text("remove_labels", { ...one, labels: ["a", "x"] })).toBe(`Labels for **${id}**: b, c`);
    expect(await session.text("remove_labels", { ...one, labels: ["b", "c"] })).toBe(`Labels for **${id}**: none`);
    expect(session.storage.metadata(path)).not.toHaveProperty("labels");
  });

  it("write nothing where nothing changes", async () => {
    const { session, one, path } = await withFeature();
    await session.call("add_labels", { ...one, labels: ["a"] });
    await session.call("add_labels", { ...one, labels: ["a"] });
    await session.call("remove_labels", { ...one, labels: ["z"] });
    expect(session.storage.files.get(path)?.version).toBe(2);
  });

  it.each([{ labels: [] }, { labels: "a" }, { labels: [1] }, { labels: [" "] }, {}])("refuse %o", async (args) => {
    const { session, one } = await withFeature();
    expect((await session.failure("add_labels", { ...one, ...args })).code).toBe("validation_error");
  });
});

describe("assignee and estimate", () => {
  it("take any name, but only persons that exist", async () => {
    const { session, id, one, path } = await withFeature();
    expect(await session.text("assign_feature", { ...one, assignee: "Ada L." })).toBe(
      `Assigned **${id}** to **Ada L.**`,
    );
    expect((await session.failure("assign_feature", { ...one, assignee: "PERS-ABC" })).code).toBe("not_found");
    expect((await session.failure("assign_feature", { ...one, assignee: "PERS-/../x" })).code).toBe("validation_error");
    session.storage.place("my-app/persons/PERS-ABC.md", { name: "Ada" });
    await session.call("assign_feature", { ...one, assignee: "PERS-ABC" });
    expect(session.storage.metadata(path)["assignee"]).toBe("PERS-ABC");
    expect(await session.text("unassign_feature", one)).toBe(`Unassigned **${id}**`);
    expect(session.storage.metadata(path)).not.toHaveProperty("assignee");
  });

  it("take the four sizes", async () => {
    const { session, id, one, path } = await withFeature();
    expect(await session.text("set_estimate", { ...one, estimate: "XL" })).toBe(`Set estimate for **${id}** to **XL**`);
    expect(session.storage.metadata(path)["estimate"]).toBe("XL");
    expect((await session.failure("set_estimate", { ...one, estimate: "XXL" })).code).toBe("validation_error");
  });
});

describe("notes", () => {
  it("join the text of the record", async () => {
    const { session, id, one, path } = await withFeature();
    await session.call("save_note", { ...one, note: "first\nsecond" });
    expect(session.storage.body(path)).toBe(`# Login\n\n\n\n\n## Note (${START})\n\nfirst\nsecond\n`);
    expect(await session.text("list_notes", one)).toBe(`## Notes for ${id}\n\n${session.storage.body(path)}`);
  });
});

describe("WIP limits", () => {
  it("are a positive integer of a project that exists", async () => {
    const { session } = await withFeature();
    const set = (max_in_progress: unknown, project_id = "my-app") => ({ project_id, max_in_progress });
    for (const wrong of [0, -1, 1.5, Number.NaN, 1e300, "2", undefined]) {
      expect((await session.failure("set_wip_limits", set(wrong))).code, String(wrong)).toBe("validation_error");
    }
    expect((await session.failure("set_wip_limits", set(1, "nope"))).code).toBe("not_found");
    expect(await session.text("set_wip_limits", set(2))).toBe("Set WIP limit to **2** for project **my-app**");
    expect(session.storage.metadata("my-app/wip.json")).toEqual({ max_in_progress: 2 });
    await session.call("set_wip_limits", set(3));
    expect(await session.text("get_wip_limits", { project_id: "my-app" })).toContain("**3**");
  });

  it("are told and checked", async () => {
    const { session, one } = await withFeature();
    const project = { project_id: "my-app" };
    expect(await session.text("get_wip_limits", project)).toContain("not configured");
    expect(await session.text("check_wip_limit", project)).toContain("not configured");
    await session.call("set_wip_limits", { ...project, max_in_progress: 1 });
    expect(await session.text("check_wip_limit", project)).toContain("within limit");
    await session.call("set_current_feature", one);
    expect(await session.text("check_wip_limit", project)).toContain("LIMIT REACHED");
    for (const tool of ["get_wip_limits", "check_wip_limit"]) {
      expect((await session.failure(tool, { project_id: "nope" })).code).toBe("not_found");
    }
  });
});
