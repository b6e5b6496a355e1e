import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { JsonObject } from "@orchestrator/runtime";
import { describe, expect, it } from "vitest";
import { Session, START } from "../../test/session.ts";

async function started(): Promise<Session> {
  const session = new Session();
  await session.project();
  return session;
}

describe("create_feature", () => {
  it("writes front matter and text as existing readers expect them", async () => {
    const session = await started();
    const result = await session.call("create_feature", {
      project_id: "my-app",
      title: 'Login "page"',
      description: "line1\nline2",
    });
    const id = (result["feature"] as JsonObject)["id"];
    expect(id).toMatch(/^FEAT-[A-Z]{3}$/);
    expect(result["text"]).toBe(
      `Created **${id}**: Login "page"\n\n### ${id} — Login "page"\n` +
        "- **Status:** todo\n- **Priority:** P2\n- **Kind:** feature\n\nline1\nline2",
    );
    const path = `my-app/features/${id}.md`;
    expect(session.storage.metadata(path)).toEqual({
      id,
      project_id: "my-app",
      title: 'Login "page"',
      description: "line1\nline2",
      status: "todo",
      priority: "P2",
      kind: "feature",
      version: 0,
      created_at: START,
      updated_at: START,
    });
    expect(session.storage.body(path)).toBe('# Login "page"\n\nline1\nline2\n');
    expect(session.storage.files.get(path)?.version).toBe(1);
  });

  it.each([{ priority: "P9" }, { kind: "epic" }, { title: "" }, { description: 3 }])("refuses %o", async (wrong) => {
    const session = await started();
    const error = await session.failure("create_feature", { project_id: "my-app", title: "T", ...wrong });
    expect(error.code).toBe("validation_error");
    expect(error.message).toContain(Object.keys(wrong)[0]);
  });

  it("needs the project", async () => {
    const error = await new Session().failure("create_feature", { project_id: "nope", title: "T" });
    expect(error.code).toBe("not_found");
  });

  it("takes another id when one is taken, and longer ones when they run out", async () => {
    // Always draws A, then B … per letter of the alphabet: every id of a width is one and the same.
    let letter = 0;
    const session = new Session({ random: () => letter });
    await session.project();
    expect(await session.feature("1")).toBe("FEAT-AAA");
    expect(await session.feature("2")).toBe("FEAT-AAAA");
    expect(await session.feature("3")).toBe("FEAT-AAAAA");
    letter = 25;
    expect(await session.feature("4")).toBe("FEAT-ZZZ");
    expect(session.storage.metadata("my-app/features/FEAT-AAA.md")["title"]).toBe("1");
  });

  it("tells a storage that fails from an id that is taken", async () => {
    const session = await started();
    session.storage.before = (operation) => {
      if (operation === "write") throw new HubError(ErrorCode.ResourceExhausted, "disk full");
    };
    const error = await session.failure("create_feature", { project_id: "my-app", title: "T" });
    expect(error.code).toBe("storage_error");
    expect(error.message).toContain("disk full");
    expect(session.storage.calls.filter((call) => call.startsWith("write"))).toHaveLength(2);
  });

  it("applies the assignment rule of its kind, and does without where the rules cannot be read", async () => {
    const session = await started();
    session.storage.place("my-app/assignment-rules/RULE-ABC.md", { kind: "bug", person_id: "PERS-BUG" });
    const bug = await session.call("create_feature", { project_id: "my-app", title: "T", kind: "bug" });
    expect(bug["feature"]).toMatchObject({ assignee: "PERS-BUG", kind: "bug" });
    const chore = await session.call("create_feature", { project_id: "my-app", title: "T", kind: "chore" });
    expect(chore["feature"]).not.toHaveProperty("assignee");
    session.storage.damage("my-app/assignment-rules/RULE-ABC.md", ErrorCode.Unavailable);
    const unruled = await session.call("create_feature", { project_id: "my-app", title: "T", kind: "bug" });
    expect(unruled["feature"]).not.toHaveProperty("assignee");
  });
});

describe("get_feature", () => {
  it("shows block and text, and who holds it", async () => {
    const session = await started();
    const id = await session.feature("Login", { description: "why", priority: "P0", kind: "chore" });
    const one = { project_id: "my-app", feature_id: id };
    const block = `### ${id} — Login\n- **Status:** todo\n- **Priority:** P0\n- **Kind:** chore\n\nwhy`;
    expect(await session.text("get_feature", one)).toBe(`${block}\n\n---\n\n# Login\n\nwhy\n`);
    await session.call("set_current_feature", one);
    expect(await session.text("get_feature", one)).toContain(`- **Locked:** by this session since ${START}\n\n---`);
    const other = await session.another("session-2").text("get_feature", one);
    expect(other).toContain(`- **Locked:** by another session since ${START}`);
    expect(other).not.toContain("session-1");
  });

  it("tells missing from unreadable from a dead storage", async () => {
    const session = await started();
    const id = await session.feature();
    expect((await session.failure("get_feature", { project_id: "my-app", feature_id: "FEAT-NO" })).code).toBe(
      "not_found",
    );
    session.storage.damage(`my-app/features/${id}.md`);
    const damaged = await session.failure("get_feature", { project_id: "my-app", feature_id: id });
    expect(damaged.code).toBe("storage_error");
    expect(damaged.message).toBe(`Cannot read my-app/features/${id}.md: bad front matter`);
    session.storage.silent = true;
    expect((await session.failure("get_feature", { project_id: "my-app", feature_id: id })).code).toBe("storage_error");
    session.storage.failure = new HubError(ErrorCode.DeadlineExceeded, "no answer");
    expect((await session.failure("get_feature", { project_id: "my-app", feature_id: id })).code).toBe("storage_error");
  });

  it("takes hand-made records as they are", async () => {
    const session = await started();
    session.storage.place("my-app/features/FEAT-HAND.md", { title: 12, labels: "one", status: "backlog" }, "text\n");
    const result = await session.call("get_feature", { project_id: "my-app", feature_id: "FEAT-HAND" });
    expect(result["feature"]).toMatchObject({ id: "FEAT-HAND", title: "12", labels: ["one"], priority: "P2" });
  });
});

describe("update_feature", () => {
  it("changes what is given and keeps text, dates of creation and unknown keys", async () => {
    const session = await started();
    const id = await session.feature("Old", { description: "d" });
    const path = `my-app/features/${id}.md`;
    session.storage.place(path, { ...session.storage.metadata(path), mood: "good" }, session.storage.body(path), 1);
    session.clock.now += 60_000;
    const text = await session.text("update_feature", {
      project_id: "my-app",
      feature_id: id,
      title: "New",
      description: "",
      priority: "P0",
    });
    expect(text).toContain(`Updated **${id}**\n\n### ${id} — New`);
    expect(session.storage.metadata(path)).toMatchObject({
      title: "New",
      description: "d",
      priority: "P0",
      mood: "good",
      created_at: START,
      updated_at: "2026-11-21T01:37:14Z",
    });
    expect(session.storage.body(path)).toBe("# Old\n\nd\n");
  });

  it("writes nothing when nothing is given", async () => {
    const session = await started();
    const id = await session.feature();
    await session.call("update_feature", { project_id: "my-app", feature_id: id, title: "" });
    expect(session.storage.files.get(`my-app/features/${id}.md`)?.version).toBe(1);
  });

  it("checks the priority although its schema does not", async () => {
    const session = await started();
    const id = await session.feature();
    const error = await session.failure("update_feature", { project_id: "my-app", feature_id: id, priority: "high" });
    expect(error.code).toBe("validation_error");
  });

  it("updates a record that was never counted, and counts it from then on", async () => {
    const session = await started();
    session.storage.place("my-app/features/FEAT-HAND.md", { title: "T" }, "text\n");
    await session.call("update_feature", { project_id: "my-app", feature_id: "FEAT-HAND", title: "U" });
    expect(session.storage.files.get("my-app/features/FEAT-HAND.md")).toMatchObject({ version: 1 });
    expect(session.storage.body("my-app/features/FEAT-HAND.md")).toBe("text\n");
  });

  it("refuses to rewrite text that is not UTF-8, which a rewrite would spoil", async () => {
    const session = await started();
    const id = await session.feature();
    session.storage.files.get(`my-app/features/${id}.md`)!.content = new Uint8Array([0x23, 0xff, 0xfe]);
    const error = await session.failure("save_note", { project_id: "my-app", feature_id: id, note: "n" });
    expect(error.code).toBe("storage_error");
    expect(error.message).toContain("not UTF-8");
  });
});
