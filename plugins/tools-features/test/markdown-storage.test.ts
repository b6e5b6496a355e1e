import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "@orchestrator/runtime";
import { type TestPlugin, testPlugin } from "@orchestrator/runtime/testing";
// The store is another plugin: tests may use it, the sources of this one never do.
import { MarkdownStore } from "@orchestrator/storage-markdown";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFeaturesPlugin } from "../src/index.ts";
import { EVIDENCE, START, START_MS } from "./session.ts";

let workspace: string;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), "tools-features-"));
});
afterEach(() => rm(workspace, { recursive: true }));

/** One process: its own plugin and its own store, on the workspace that all share. */
async function startProcess(): Promise<TestPlugin & AsyncDisposable> {
  const store = new MarkdownStore(workspace);
  const markdown = {
    read: (path: string) => store.read(path),
    write: (write: Parameters<typeof store.write>[0]) => store.write(write),
    delete: (path: string) => store.delete(path),
    list: (prefix: string, pattern: string) => store.list(prefix, pattern),
  };
  const plugin = await testPlugin(createFeaturesPlugin({ now: () => START_MS }), { hub: { storage: { markdown } } });
  const close = async () => {
    await plugin[Symbol.asyncDispose]();
    store.close();
  };
  return { ...plugin, [Symbol.asyncDispose]: close };
}

function file(path: string): Promise<string> {
  return readFile(join(workspace, ".projects", path), "utf8");
}

async function createFeature(plugin: TestPlugin, args: JsonObject = {}): Promise<string> {
  const result = await plugin.callTool("create_feature", { project_id: "my-app", title: "Login", ...args });
  return String((result["feature"] as JsonObject)["id"]);
}

describe("on the real storage", () => {
  it("leaves the files that other programs expect", async () => {
    await using plugin = await startProcess();
    await plugin.callTool("create_project", { name: "My App", description: "1.0: yes" });
    const id = await createFeature(plugin, { title: 'Login "page"', description: "line1\nline2" });
    const one = { project_id: "my-app", feature_id: id };
    await plugin.callTool("add_labels", { ...one, labels: ["a", "b"] });
    await plugin.callTool("set_current_feature", one);
    for (const evidence of Object.values(EVIDENCE)) await plugin.callTool("advance_feature", { ...one, evidence });
    await plugin.callTool("submit_review", { ...one, status: "approved" });
    expect(await file(`my-app/features/${id}.md.version`)).toBe("7");
    expect(await file("my-app/project.json")).toBe(
      `---\ncreated_at: "${START}"\ndescription: '1.0: yes'\nid: my-app\nname: My App\nslug: my-app\nupdated_at: "${START}"\n---\n\n`,
    );
    expect(await file(`my-app/features/${id}.md`)).toBe(`---
created_at: "${START}"
description: |-
    line1
    line2
id: ${id}
kind: feature
labels:
    - a
    - b
priority: P2
project_id: my-app
status: done
title: Login "page"
updated_at: "${START}"
version: 0
---

# Login "page"

line1
line2


---
**in-progress -> in-testing** (${START}):
${EVIDENCE["in-progress"]}


---
**in-testing -> in-docs** (${START}):
${EVIDENCE["in-testing"]}


---
**in-docs -> in-review** (${START}):
${EVIDENCE["in-docs"]}
`);
  });

  it("keeps a lock over a restart of the plugin", async () => {
    const one: JsonObject = { project_id: "my-app" };
    {
      await using plugin = await startProcess();
      await plugin.callTool("create_project", { name: "My App" });
      one["feature_id"] = await createFeature(plugin);
      await plugin.callTool("set_current_feature", one, { sessionId: "a" });
    }
    await using restarted = await startProcess();
    const advance = (sessionId: string) =>
      restarted.callTool("advance_feature", { ...one, evidence: EVIDENCE["in-progress"] }, { sessionId });
    await expect(advance("b")).rejects.toThrow("locked by another session");
    await advance("a");
    expect(await file("my-app/locks.json")).not.toContain("session_id");
  });

  it("loses nothing between processes that write at once", async () => {
    await using first = await startProcess();
    await using second = await startProcess();
    await using third = await startProcess();
    const processes = [first, second, third];
    await first.callTool("create_project", { name: "My App" });
    const id = await createFeature(first);
    const notes = Array.from({ length: 30 }, (_, index) => `note number ${index};`);
    await Promise.all(
      notes.map((note, index) =>
        processes[index % 3]!.callTool("save_note", { project_id: "my-app", feature_id: id, note }),
      ),
    );
    const text = await file(`my-app/features/${id}.md`);
    for (const note of notes) expect(text.split(note)).toHaveLength(2);

    await first.callTool("set_wip_limits", { project_id: "my-app", max_in_progress: 2 });
    const ids = await Promise.all(Array.from({ length: 6 }, () => createFeature(first)));
    const starts = await Promise.allSettled(
      ids.map((feature_id, index) =>
        processes[index % 3]!.callTool(
          "set_current_feature",
          { project_id: "my-app", feature_id },
          { sessionId: `session-${index}` },
        ),
      ),
    );
    expect(starts.filter((start) => start.status === "fulfilled")).toHaveLength(2);
  });

  it("works with files made by hand: dates, no count, no front matter", async () => {
    await using plugin = await startProcess();
    await plugin.callTool("create_project", { name: "My App" });
    const directory = join(workspace, ".projects", "my-app", "features");
    await createFeature(plugin);
    const byHand = "---\ntitle: By hand\ncreated_at: 2020-01-01\nstatus: todo\ndue: 2020-02-02\n---\n\ntext\n";
    await writeFile(join(directory, "FEAT-HAND.md"), byHand);
    await writeFile(join(directory, "FEAT-BAD.md"), "---\ntitle: [\n---\n");
    await writeFile(join(directory, "README.md"), "about\n");
    const list = await plugin.callTool("list_features", { project_id: "my-app" });
    expect(list["text"]).toContain("## Features (2)");
    expect(list["text"]).toContain("- my-app/features/FEAT-BAD.md: ");
    expect(list["text"]).toContain("- my-app/features/README.md: it has no front matter");
    await plugin.callTool("save_note", { project_id: "my-app", feature_id: "FEAT-HAND", note: "n" });
    const text = await file("my-app/features/FEAT-HAND.md");
    expect(text).toContain('created_at: "2020-01-01"');
    expect(text).toContain('due: "2020-02-02"');
    expect(text).toContain("\ntext\n\n\n## Note");
    const bad = plugin.callTool("get_feature", { project_id: "my-app", feature_id: "FEAT-BAD" });
    await expect(bad).rejects.toThrow("Cannot read my-app/features/FEAT-BAD.md");
    await plugin.callTool("delete_project", { project_id: "my-app" });
    expect((await plugin.callTool("list_projects"))["text"]).toContain("## Projects (0)");
  });
});
