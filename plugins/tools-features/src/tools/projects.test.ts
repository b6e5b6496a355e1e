import { ErrorCode, HubError } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { Session, START } from "../../test/session.ts";

describe("create_project", () => {
  it("writes the record and tells the slug", async () => {
    const session = new Session();
    const text = await session.text("create_project", { name: "My App!", description: "An app" });
    expect(text).toBe("Created project: My App! (slug: my-app)");
    expect(session.storage.metadata("my-app/project.json")).toEqual({
      id: "my-app",
      name: "My App!",
      slug: "my-app",
      description: "An app",
      created_at: START,
      updated_at: START,
    });
  });

  it("refuses a slug that is taken, and says by which project", async () => {
    const session = new Session();
    await session.project();
    const error = await session.failure("create_project", { name: "my app" });
    expect(error.code).toBe("storage_error");
    expect(error.message).toBe('Project "my-app" already exists and is called "My App"; choose another name');
    expect(session.storage.metadata("my-app/project.json")["name"]).toBe("My App");
  });

  it("gives names of other scripts projects of their own, which list_projects shows", async () => {
    const session = new Session();
    for (const name of ["Проект", "Задача", "設計", "🎉", "!!!", "Café", "Cafe"]) {
      await session.call("create_project", { name });
    }
    const text = await session.text("list_projects");
    expect(text).toContain("## Projects (7)");
    for (const name of ["Проект", "Задача", "設計", "🎉", "!!!", "Café", "Cafe"]) expect(text).toContain(`**${name}**`);
    expect([...session.storage.files.keys()].every((path) => /^[a-z0-9-]+\/project\.json$/.test(path))).toBe(true);
  });

  it.each([{}, { name: "" }, { name: "  " }, { name: 7 }, { name: null }])("wants a name, not %o", async (args) => {
    const session = new Session();
    expect((await session.failure("create_project", args)).code).toBe("validation_error");
    expect(session.storage.files.size).toBe(0);
  });
});

describe("list_projects", () => {
  it("says that there are none only when the storage says so", async () => {
    const session = new Session();
    expect(await session.text("list_projects")).toBe("## Projects (0)\n\nNo projects found.");
    session.storage.failure = new HubError(ErrorCode.Unavailable, 'Plugin "storage.markdown" is not running');
    const error = await session.failure("list_projects");
    expect(error.code).toBe("storage_error");
    expect(error.message).toBe('Cannot list projects: Plugin "storage.markdown" is not running');
  });

  it("shows name, slug and description, one line each", async () => {
    const session = new Session();
    await session.project();
    await session.call("create_project", { name: "Other" });
    expect(await session.text("list_projects")).toBe(
      "## Projects (2)\n\n- **My App** (`my-app`) — An app\n- **Other** (`other`)",
    );
  });

  it("passes over files of that name deeper in a project", async () => {
    const session = new Session();
    await session.project();
    session.storage.place("my-app/features/project.json", { name: "no" });
    expect(await session.text("list_projects")).toContain("## Projects (1)");
  });

  it("reports a project that cannot be read beside the others", async () => {
    const session = new Session();
    await session.project();
    session.storage.place("broken/project.json", {});
    session.storage.damage("broken/project.json");
    const result = await session.call("list_projects");
    expect(result["text"]).toBe(
      "## Projects (1)\n\n- **My App** (`my-app`) — An app\n\n" +
        "> Not counted here, because they could not be read:\n- broken/project.json: bad front matter",
    );
    expect(result["unreadable"]).toEqual([{ path: "broken/project.json", reason: "bad front matter" }]);
  });
});

describe("delete_project", () => {
  it("removes every record below the project and nothing else", async () => {
    const session = new Session();
    await session.project();
    await session.call("create_project", { name: "My App Two" });
    await session.feature();
    await session.call("set_wip_limits", { project_id: "my-app", max_in_progress: 2 });
    session.storage.place("my-app/plans/PLAN-ABC.md", { id: "PLAN-ABC" });
    session.storage.place("my-app/features/FEAT-BAD.md", undefined);
    expect(await session.text("delete_project", { project_id: "my-app" })).toBe("Deleted project: my-app");
    expect([...session.storage.files.keys()]).toEqual(["my-app-two/project.json"]);
  });

  it("can be repeated after it failed half-way", async () => {
    const session = new Session();
    await session.project();
    await session.feature("A");
    await session.feature("B");
    let deletions = 0;
    session.storage.before = (operation) => {
      if (operation === "delete" && ++deletions === 2) throw new HubError(ErrorCode.Unavailable, "gone");
    };
    expect((await session.failure("delete_project", { project_id: "my-app" })).code).toBe("storage_error");
    session.storage.before = undefined;
    expect(session.storage.files.has("my-app/project.json")).toBe(true);
    await session.call("delete_project", { project_id: "my-app" });
    expect(session.storage.files.size).toBe(0);
  });

  it("deletes a project whose own record cannot be read", async () => {
    const session = new Session();
    await session.project();
    session.storage.damage("my-app/project.json");
    await session.call("delete_project", { project_id: "my-app" });
    expect(session.storage.files.size).toBe(0);
  });

  it("does not find a project that is not there", async () => {
    expect((await new Session().failure("delete_project", { project_id: "nope" })).code).toBe("not_found");
  });

  it.each(["..", "../x", "a/b", "a\\b", ".", ".packs", "a..b", "", "x\0", "x\ny"])(
    "refuses %j as a project id",
    async (id) => {
      const session = new Session();
      session.storage.place("x/project.json", {});
      expect((await session.failure("delete_project", { project_id: id })).code).toBe("validation_error");
      expect(session.storage.calls).toEqual([]);
    },
  );
});

describe("get_project_status", () => {
  it("shows the project and the features by status", async () => {
    const session = new Session();
    await session.project();
    await session.feature("A");
    await session.feature("B");
    await session.bring(await session.feature("C"), "in-testing");
    expect(await session.text("get_project_status", { project_id: "my-app" })).toBe(
      [
        "## Project: My App",
        "- **Slug:** my-app",
        "- **Description:** An app",
        `- **Created:** ${START}`,
        "",
        "| Status | Count |",
        "| --- | --- |",
        "| todo | 2 |",
        "| in-testing | 1 |",
        "| **Total** | **3** |",
      ].join("\n"),
    );
  });

  it("does not find an unknown project", async () => {
    expect((await new Session().failure("get_project_status", { project_id: "nope" })).code).toBe("not_found");
  });
});
