import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { Workspace } from "../../test/workspace.ts";

describe("paths", () => {
  it.each([
    ["", /^resolve path: path is empty$/],
    ["x".repeat(4097), /^resolve path: path is 4097 bytes, 4096 at most$/],
    [`${"é/".repeat(1400)}x`, /4096 at most/],
    ["..", /^resolve path: "\.\." leaves the storage root$/],
    ["../x.md", /leaves the storage root/],
    ["a/../../x.md", /leaves the storage root/],
    [".", /is the storage root/],
    ["/", /is the storage root/],
    ["a/..", /is the storage root/],
    ["a\0b.md", /NUL/],
    [`${"x".repeat(256)}/a.md`, /is 256 bytes, 255 at most$/],
    [`${"x".repeat(248)}`, /is 248 bytes, 247 at most \(its version file needs the rest\)$/],
    ["é".repeat(124), /is 248 bytes/],
    ["x.md.version", /hold versions/],
    [".version", /hold versions/],
    [".orchestra-lock.version", /the storage's own/],
    ["a/.orchestra-lock", /the storage's own/],
  ])("refuses %j to every operation", async (path, reason) => {
    using workspace = new Workspace();
    const failure = { code: ErrorCode.InvalidArgument, message: expect.stringMatching(reason) };
    await expect(workspace.read(path)).rejects.toMatchObject(failure);
    await expect(workspace.write(path, "x")).rejects.toMatchObject(failure);
    await expect(workspace.store.delete(path)).rejects.toMatchObject(failure);
  });

  it.each([
    ["a..b.md", "a..b.md"],
    ["..a/b..", "..a/b.."],
    ["/etc/x.md", "etc/x.md"],
    ["//a//./b.md", "a/b.md"],
    ["a/../b.md", "b.md"],
    ["/../x.md", "x.md"],
    ["a b/ü 日.md", "a b/ü 日.md"],
    ["back\\slash.md", "back\\slash.md"],
    ["x".repeat(247), "x".repeat(247)],
    ["__proto__", "__proto__"],
  ])("takes %j for %j", async (path, place) => {
    using workspace = new Workspace();
    expect(await workspace.write(path, "x", 0)).toBe(1);
    expect(workspace.get(place)).toBe("x");
    expect(await workspace.read(path)).toMatchObject({ text: "x", version: 1 });
    expect(await workspace.list("", "*")).toEqual([place]);
    expect(await workspace.store.delete(path)).toBe(true);
  });

  it("says so when a directory or a file is in the way", async () => {
    using workspace = new Workspace();
    await workspace.write("dir/a.md", "x");
    mkdirSync(join(workspace.root, "b.md.version"));
    for (const work of [workspace.write("dir", "x"), workspace.read("dir"), workspace.store.delete("dir")]) {
      await expect(work).rejects.toMatchObject({ code: "FAILED_PRECONDITION", message: '"dir" is a directory' });
    }
    await expect(workspace.write("dir/a.md/b.md", "x")).rejects.toThrow('"dir/a.md" is a file, not a directory');
    expect(await workspace.read("dir/a.md/b.md")).toBeUndefined();
    expect(await workspace.store.delete("dir/a.md/b.md")).toBe(false);
    await expect(workspace.write("b.md", "x")).rejects.toThrow(/a directory has its name/);
    expect(workspace.files()).toEqual([".orchestra-lock.version", "b.md.version", "dir"]);
  });
});

describe("symbolic links", () => {
  const outside = (): string => {
    const path = mkdtempSync(join(tmpdir(), "outside-"));
    writeFileSync(join(path, "secret.md"), "secret");
    return path;
  };

  it("are refused wherever they lead, and never listed", async () => {
    using workspace = new Workspace();
    const other = outside();
    try {
      await workspace.write("real/a.md", "x");
      const link = (target: string, path: string): void => symlinkSync(target, join(workspace.root, path));
      link(other, "directory");
      link(join(other, "secret.md"), "file.md");
      link(join(other, "new.md"), "dangling.md");
      link("real", "inside");
      link("real/a.md", "inside.md");
      for (const path of ["directory/secret.md", "file.md", "dangling.md", "inside/a.md", "inside.md"]) {
        const refused = { code: ErrorCode.PermissionDenied, message: expect.stringContaining("symbolic link") };
        await expect(workspace.read(path)).rejects.toMatchObject(refused);
        await expect(workspace.write(path, "overwritten")).rejects.toMatchObject(refused);
        await expect(workspace.store.delete(path)).rejects.toMatchObject(refused);
        await expect(workspace.list(path, "*")).rejects.toMatchObject(refused);
      }
      await expect(workspace.write("directory/sub/x.md", "x")).rejects.toThrow(/symbolic link/);
      expect(await workspace.list("", "*")).toEqual(["real/a.md"]);
      expect(readdirSync(other)).toEqual(["secret.md"]);
    } finally {
      rmSync(other, { recursive: true });
    }
  });

  it("are refused as the root, as a version file and as the lock", async () => {
    const other = outside();
    using linked = new Workspace();
    using workspace = new Workspace();
    try {
      symlinkSync(other, linked.root);
      await expect(linked.read("secret.md")).rejects.toThrow(/the storage root is a symbolic link/);
      await expect(linked.write("x.md", "x")).rejects.toThrow(/the storage root is a symbolic link/);
      workspace.put("a.md", "x");
      writeFileSync(join(other, "number"), "41");
      symlinkSync(join(other, "number"), join(workspace.root, "a.md.version"));
      symlinkSync(join(other, "lock"), join(workspace.root, ".orchestra-lock.version"));
      expect(await workspace.read("a.md")).toMatchObject({ version: 1 });
      await expect(workspace.write("a.md", "y")).rejects.toThrow(/not the empty file/);
      rmSync(join(workspace.root, ".orchestra-lock.version"));
      expect(await workspace.write("a.md", "y")).toBe(2);
      expect(readdirSync(other).sort()).toEqual(["number", "secret.md"]);
    } finally {
      rmSync(other, { recursive: true });
    }
  });
});

describe("odd files", () => {
  it.skipIf(process.platform === "win32")("are refused without waiting on them", async () => {
    using workspace = new Workspace();
    await workspace.write("a.md", "x");
    execFileSync("mkfifo", [join(workspace.root, "pipe.md"), join(workspace.root, "b.md.version")]);
    workspace.put("b.md", "x");
    await expect(workspace.read("pipe.md")).rejects.toThrow('"pipe.md" is not a regular file');
    await expect(workspace.write("pipe.md", "x")).rejects.toThrow('"pipe.md" is not a regular file');
    expect(await workspace.read("b.md")).toMatchObject({ version: 1 });
    expect(await workspace.list()).toEqual(["a.md", "b.md"]);
  });

  it("are refused when they are larger than a frame", async () => {
    using workspace = new Workspace();
    workspace.put("big.md", "x".repeat(16 * 1024 * 1024 + 1));
    await expect(workspace.read("big.md")).rejects.toThrow(/larger than 16777216 bytes/);
    const content = new Uint8Array(16 * 1024 * 1024 + 1);
    const write = workspace.store.write({ path: "b.md", content, metadata: undefined, expectedVersion: 0 });
    await expect(write).rejects.toMatchObject({ code: ErrorCode.InvalidArgument });
  });

  it("cannot be planted beside the lock", async () => {
    using workspace = new Workspace();
    for (const suffix of ["-journal", "-wal", "-shm"]) workspace.put(`.orchestra-lock.version${suffix}`, "planted");
    await workspace.write("a.md", "x");
    expect(workspace.files()).toEqual([".orchestra-lock.version", "a.md", "a.md.version"]);
  });
});
