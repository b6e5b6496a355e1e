import { chmodSync, mkdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { Workspace } from "../../test/workspace.ts";

const CREATE_TEXT = "file already exists (expected_version=0 means create new)";

describe("MarkdownStore on the disk", () => {
  it("writes front matter, body and version as existing workspaces have them", async () => {
    using workspace = new Workspace();
    await workspace.write("app/features/FEAT-ABC.md", "# Login\n", 0, { id: "FEAT-ABC", version: 0 });
    expect(workspace.get("app/features/FEAT-ABC.md")).toBe("---\nid: FEAT-ABC\nversion: 0\n---\n\n# Login\n");
    expect(workspace.get("app/features/FEAT-ABC.md.version")).toBe("1");
    expect(workspace.files("app/features")).toEqual(["FEAT-ABC.md", "FEAT-ABC.md.version"]);
    expect(mode(workspace, "app/features/FEAT-ABC.md")).toBe(0o644);
    expect(mode(workspace, "app/features/FEAT-ABC.md.version")).toBe(0o644);
    expect(mode(workspace, "app/features")).toBe(0o755);
  });

  it("keeps the mode of a file that it updates", async () => {
    using workspace = new Workspace();
    await workspace.write("a.md", "one");
    chmodSync(join(workspace.root, "a.md"), 0o600);
    await workspace.write("a.md", "two");
    expect(mode(workspace, "a.md")).toBe(0o600);
  });

  it("keeps bytes that are no text", async () => {
    using workspace = new Workspace();
    const content = Uint8Array.of(0, 0xff, 0xfe, 0x80, 10, 13, 10);
    await workspace.store.write({ path: "a.md", content, metadata: { a: 1 }, expectedVersion: 0 });
    expect([...((await workspace.store.read("a.md"))?.content ?? [])]).toEqual([...content]);
  });

  it("reads what is not there as undefined, and makes nothing by reading", async () => {
    using workspace = new Workspace();
    expect(await workspace.read("a.md")).toBeUndefined();
    expect(await workspace.read("a/b/c.md")).toBeUndefined();
    expect(await workspace.list()).toEqual([]);
    expect(await workspace.store.delete("a.md")).toBe(false);
    expect(() => workspace.files()).toThrow(/ENOENT/);
  });

  it("says which line of a file cannot be read", async () => {
    using workspace = new Workspace();
    workspace.put("a.md", "---\na: 1\nb: [\n---\n");
    await expect(workspace.read("a.md")).rejects.toMatchObject({ code: ErrorCode.DataLoss });
    await expect(workspace.read("a.md")).rejects.toThrow(/^Cannot read "a\.md", line \d: /);
  });
});

describe("compare-and-set", () => {
  it("creates with 0, updates with the version, and does either with -1", async () => {
    using workspace = new Workspace();
    expect(await workspace.write("a.md", "1", 0)).toBe(1);
    expect(await workspace.write("a.md", "2", 1)).toBe(2);
    expect(await workspace.write("a.md", "3", -1)).toBe(3);
    expect(await workspace.write("b.md", "1", -1)).toBe(1);
    expect(await workspace.read("a.md")).toEqual({ text: "3", metadata: undefined, version: 3 });
  });

  it("refuses what does not fit, in the words that callers know, and changes nothing", async () => {
    using workspace = new Workspace();
    await expect(workspace.write("a.md", "x", 1)).rejects.toThrow("version conflict: expected 1, current 0");
    expect(() => workspace.files()).toThrow(/ENOENT/);
    await workspace.write("a.md", "1", 0);
    await workspace.write("a.md", "2", 1);
    await expect(workspace.write("a.md", "x", 0)).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
      message: CREATE_TEXT,
    });
    await expect(workspace.write("a.md", "x", 1)).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: "version conflict: expected 1, current 2",
    });
    await expect(workspace.write("a.md", "x", 3)).rejects.toThrow("version conflict: expected 3, current 2");
    await expect(workspace.write("a.md", "x", -2)).rejects.toThrow(/must be -1 or more/);
    await expect(workspace.write("a.md", "x", 1.5)).rejects.toThrow(/must be -1 or more/);
    expect(await workspace.read("a.md")).toMatchObject({ text: "2", version: 2 });
    expect(workspace.files()).toEqual([".orchestra-lock.version", "a.md", "a.md.version"]);
  });

  it.each(["", "garbage", "0", "-4", "9".repeat(40)])(
    "lets a tool update a file that has no usable version (%j) with the version that it read",
    async (sidecar) => {
      using workspace = new Workspace();
      workspace.put("a.md", "by hand");
      if (sidecar !== "") workspace.put("a.md.version", sidecar);
      expect(await workspace.read("a.md")).toMatchObject({ text: "by hand", version: 1 });
      expect(await workspace.store.list("", "")).toMatchObject([{ version: 1 }]);
      await expect(workspace.write("a.md", "x", 0)).rejects.toThrow(CREATE_TEXT);
      expect(await workspace.write("a.md", "updated", 1)).toBe(2);
      expect(workspace.get("a.md.version")).toBe("2");
    },
  );

  it("counts on from a version file whose document somebody deleted", async () => {
    using workspace = new Workspace();
    workspace.put("a.md.version", "7\n");
    await expect(workspace.write("a.md", "x", 7)).rejects.toThrow("version conflict: expected 7, current 0");
    expect(await workspace.write("a.md", "again", 0)).toBe(8);
  });

  it("lets exactly one of many concurrent writers win", async () => {
    using workspace = new Workspace();
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => workspace.write("a.md", `${n}`, 0)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const upserts = await Promise.all(Array.from({ length: 20 }, (_, n) => workspace.write("a.md", `${n}`, -1)));
    expect(upserts.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 2));
    expect(workspace.files()).toEqual([".orchestra-lock.version", "a.md", "a.md.version"]);
  });

  it("notices what a program without the lock has written since", async () => {
    using workspace = new Workspace();
    await workspace.write("a.md", "1", 0);
    workspace.put("a.md", "by another program");
    workspace.put("a.md.version", "2");
    await expect(workspace.write("a.md", "x", 1)).rejects.toThrow("version conflict: expected 1, current 2");
    expect(await workspace.write("a.md", "3", 2)).toBe(3);
  });
});

describe("delete", () => {
  it("removes a document and its version, and never a directory", async () => {
    using workspace = new Workspace();
    await workspace.write("p/a.md", "x");
    expect(await workspace.store.delete("p/a.md")).toBe(true);
    expect(workspace.files("p")).toEqual([]);
    expect(await workspace.store.delete("p/a.md")).toBe(false);
    await expect(workspace.store.delete("p")).rejects.toThrow('"p" is a directory');
    expect(workspace.files("p")).toEqual([]);
    expect(await workspace.write("p/a.md", "again", 0)).toBe(1);
  });

  it("works for a document without a version", async () => {
    using workspace = new Workspace();
    workspace.put("a.md", "by hand");
    expect(await workspace.store.delete("a.md")).toBe(true);
  });
});

describe("list", () => {
  it("walks a path, not the beginning of a name, in byte order of the names", async () => {
    using workspace = new Workspace();
    for (const path of ["t/one.md", "t/a/x.md", "t/a-b.md", "t/a.md", "t/Z.md", "t/é.md", "u/one.md", "t/wip.json"]) {
      workspace.put(path, path);
    }
    workspace.put("t/one.md.version", "3");
    const all = ["t/Z.md", "t/a/x.md", "t/a-b.md", "t/a.md", "t/one.md", "t/é.md"];
    expect(await workspace.list("t")).toEqual(all);
    expect(await workspace.list("/t/")).toEqual(all);
    expect(await workspace.list("./t/../t")).toEqual(all);
    expect(await workspace.list()).toEqual([...all, "u/one.md"]);
    expect(await workspace.list("t/one.md")).toEqual(["t/one.md"]);
    expect(await workspace.list("t/on")).toEqual([]);
    expect(await workspace.list("t/one.md/x")).toEqual([]);
    expect(await workspace.list("", "*.json")).toEqual(["t/wip.json"]);
    expect(await workspace.list("", "one*")).toEqual(["t/one.md", "u/one.md"]);
    expect(await workspace.list("t/one.md", "two*")).toEqual([]);
  });

  it("tells size, version and time", async () => {
    using workspace = new Workspace();
    await workspace.write("a.md", "12345");
    await workspace.write("a.md", "123456");
    utimesSync(join(workspace.root, "a.md"), 1_700_000_000, 1_700_000_000.25);
    expect(await workspace.store.list("", "")).toEqual([
      { path: "a.md", size: 6, version: 2, modifiedAtMs: 1_700_000_000_250 },
    ]);
    expect(await workspace.store.list("a.md", "")).toHaveLength(1);
  });

  it("refuses a malformed pattern, wherever it is applied", async () => {
    using workspace = new Workspace();
    await expect(workspace.list("", "[a")).rejects.toMatchObject({ code: ErrorCode.InvalidArgument });
    await expect(workspace.list("", "x".repeat(257))).rejects.toThrow(/256 at most/);
  });

  it("stops when the caller no longer waits", async () => {
    using workspace = new Workspace();
    for (let number = 0; number < 200; number++) workspace.put(`${number}.md`, "");
    const reason = new Error("enough");
    const failure = workspace.store.list("", "", { signal: AbortSignal.abort(reason) });
    await expect(failure).rejects.toThrow("enough");
  });
});

describe("health", () => {
  it("is there before the first write and after it", async () => {
    using workspace = new Workspace();
    expect(workspace.store.health().status).toBe("healthy");
    await workspace.write("a.md", "x");
    expect(workspace.store.health()).toEqual({ status: "healthy", details: { root: workspace.root } });
    rmSync(workspace.root, { recursive: true });
    mkdirSync(workspace.path, { recursive: true });
    workspace.store.close();
  });

  it("goes on when somebody deletes everything, the lock included", async () => {
    using workspace = new Workspace();
    await workspace.write("a.md", "x");
    rmSync(workspace.root, { recursive: true });
    expect(await workspace.write("a.md", "again", 0)).toBe(1);
  });
});

function mode(workspace: Workspace, path: string): number {
  return statSync(join(workspace.root, path)).mode & 0o777;
}
