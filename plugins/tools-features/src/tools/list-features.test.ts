import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { Session } from "../../test/session.ts";

async function started(): Promise<Session> {
  const session = new Session();
  await session.project();
  return session;
}

describe("list_features and search_features", () => {
  it("lists all, by status, by kind, by both, with columns that bars and line breaks cannot break", async () => {
    const session = await started();
    const one = await session.feature("a | b\nc");
    const two = await session.feature("Bug", { kind: "bug", priority: "P0" });
    await session.call("assign_feature", { project_id: "my-app", feature_id: two, assignee: "ada" });
    const rows = {
      [one]: `| ${one} | a \\| b c | todo | P2 | feature | — |`,
      [two]: `| ${two} | Bug | todo | P0 | bug | ada |`,
    };
    const text = await session.text("list_features", { project_id: "my-app" });
    expect(text.split("\n")).toEqual([
      "## Features (2)",
      "",
      "| ID | Title | Status | Priority | Kind | Assignee |",
      "| --- | --- | --- | --- | --- | --- |",
      ...[one, two].sort().map((id) => rows[id]),
    ]);
    const header = async (args: object) =>
      (await session.text("list_features", { project_id: "my-app", ...args })).split("\n")[0];
    expect(await header({ status: "todo" })).toBe("## Features (todo) (2)");
    expect(await header({ kind: "bug" })).toBe("## Features (kind=bug) (1)");
    expect(await header({ status: "todo", kind: "bug" })).toBe("## Features (todo) (kind=bug) (1)");
    expect(await session.text("list_features", { project_id: "my-app", status: "done" })).toBe(
      "## Features (done)\n\nNo features found.",
    );
  });

  it("marks what other sessions have locked", async () => {
    const session = await started();
    const id = await session.feature();
    await session.call("set_current_feature", { project_id: "my-app", feature_id: id });
    const seen = async (who: Session) => who.text("list_features", { project_id: "my-app" });
    expect(await seen(session)).toContain("| in-progress | P2");
    expect(await seen(session.another("session-2"))).toContain("| in-progress [locked by other session] | P2");
    session.clock.now += 30 * 60_000;
    expect(await seen(session.another("session-2"))).toContain("| in-progress | P2");
  });

  it("answers an unknown project with an empty table", async () => {
    expect(await new Session().text("list_features", { project_id: "nope" })).toBe("## Features\n\nNo features found.");
  });

  it("finds an older status under its present name", async () => {
    const session = await started();
    session.storage.place("my-app/features/FEAT-OLD.md", { title: "T", status: "backlog" });
    expect(await session.text("list_features", { project_id: "my-app", status: "todo" })).toContain("| backlog |");
  });

  it("reports what cannot be read, however the storage says it, and never a part as the whole", async () => {
    const session = await started();
    await session.feature("A");
    session.storage.place("my-app/features/FEAT-BAD.md", {});
    session.storage.damage("my-app/features/FEAT-BAD.md");
    session.storage.place("my-app/features/README.md", undefined, "about\n");
    for (const silent of [false, true]) {
      session.storage.silent = silent;
      const result = await session.call("list_features", { project_id: "my-app" });
      expect(result["text"]).toContain("## Features (1)");
      expect(result["text"]).toContain("could not be read");
      expect(result["text"]).toContain("- my-app/features/FEAT-BAD.md: ");
      expect(result["text"]).toContain("- my-app/features/README.md: it has no front matter");
    }
  });

  it("fails when the storage dies between listing and reading", async () => {
    const session = await started();
    await session.feature("A");
    session.storage.damage(`my-app/features/${await session.feature("B")}.md`, ErrorCode.Unavailable);
    for (const name of ["list_features", "get_progress", "get_workflow_status", "get_dependency_graph"]) {
      expect((await session.failure(name, { project_id: "my-app" })).code).toBe("storage_error");
    }
  });

  it("leaves out what is deleted while it lists", async () => {
    const session = await started();
    await session.feature("A");
    const gone = `my-app/features/${await session.feature("B")}.md`;
    session.storage.before = (operation, path) => {
      if (operation === "read" && path === gone) session.storage.files.delete(gone);
    };
    const result = await session.call("list_features", { project_id: "my-app" });
    expect(result["text"]).toContain("## Features (1)");
    expect(result).not.toHaveProperty("unreadable");
  });

  it("reads many records side by side, within bounds", async () => {
    const session = await started();
    for (let index = 0; index < 100; index++) {
      session.storage.place(`my-app/features/FEAT-${index}.md`, { title: `T${index}` });
    }
    let running = 0;
    let most = 0;
    const { read } = session.storage;
    session.storage.read = async (path) => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => setImmediate(resolve));
      running--;
      return read.call(session.storage, path);
    };
    await session.call("list_features", { project_id: "my-app" });
    expect(most).toBeGreaterThan(8);
    expect(most).toBeLessThanOrEqual(40);
  });

  it("searches title and description without case", async () => {
    const session = await started();
    await session.feature("LOGIN page");
    await session.feature("Other", { description: "needs login", kind: "bug" });
    await session.feature("Third");
    const text = await session.text("search_features", { project_id: "my-app", query: "LogIn" });
    expect(text).toContain('## Search results for "login" (2)');
    const bugs = await session.text("search_features", { project_id: "my-app", query: "login", kind: "bug" });
    expect(bugs).toContain('## Search results for "login" (1)');
    const none = await session.text("search_features", { project_id: "my-app", query: "(" });
    expect(none).toBe('## Search results for "("\n\nNo features found.');
  });
});

describe("delete_feature", () => {
  it("removes the record, every reference to it, and its lock", async () => {
    const session = await started();
    const [a, b, c] = [await session.feature("A"), await session.feature("B"), await session.feature("C")];
    const depend = (feature_id: string, depends_on_id: string) =>
      session.call("add_dependency", { project_id: "my-app", feature_id, depends_on_id });
    await depend(a, b);
    await depend(b, c);
    await session.call("set_current_feature", { project_id: "my-app", feature_id: b });
    const result = await session.call("delete_feature", { project_id: "my-app", feature_id: b });
    expect(result["text"]).toBe(
      `Deleted feature ${b} from project my-app\n\nRemoved its references from ${[a, c].sort().join(", ")}`,
    );
    expect(session.storage.metadata(`my-app/features/${a}.md`)).not.toHaveProperty("depends_on");
    expect(session.storage.metadata(`my-app/features/${c}.md`)).not.toHaveProperty("blocks");
    expect(session.storage.metadata("my-app/locks.json")).toEqual({ locks: [], claims: [] });
  });

  it("says nothing more where nothing referred to it", async () => {
    const session = await started();
    const id = await session.feature();
    const text = await session.text("delete_feature", { project_id: "my-app", feature_id: id });
    expect(text).toBe(`Deleted feature ${id} from project my-app`);
    expect((await session.failure("delete_feature", { project_id: "my-app", feature_id: id })).code).toBe("not_found");
  });

  it("deletes a feature that cannot be read", async () => {
    const session = await started();
    session.storage.place("my-app/features/FEAT-BAD.md", undefined);
    await session.call("delete_feature", { project_id: "my-app", feature_id: "FEAT-BAD" });
    expect(session.storage.files.has("my-app/features/FEAT-BAD.md")).toBe(false);
  });
});
