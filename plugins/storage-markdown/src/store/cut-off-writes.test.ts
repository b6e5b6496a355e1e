import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Workspace } from "../../test/workspace.ts";
import { stagedPath } from "./leftovers.ts";
import { type Place, placeOf } from "./place.ts";

/** The names that a write of `a.md` uses. */
function placeIn(workspace: Workspace): Place {
  mkdirSync(workspace.root, { recursive: true });
  return placeOf(workspace.root, ["a.md"]);
}

const CLEAN = [".orchestra-lock.version", "a.md", "a.md.version"];

describe("a write that was cut off", () => {
  it("before the new content was in place has not happened", async () => {
    for (const leftovers of [["nextContent"], ["nextContent", "nextVersion"]] as const) {
      using workspace = new Workspace();
      const place = placeIn(workspace);
      await workspace.write("a.md", "old", 0);
      writeFileSync(place.nextContent, "new");
      if (leftovers.length > 1) writeFileSync(place.nextVersion, "2");
      expect(await workspace.read("a.md")).toMatchObject({ text: "old", version: 1 });
      expect(await workspace.store.list("", "*")).toMatchObject([{ path: "a.md", version: 1 }]);
      expect(await workspace.write("a.md", "other", 1)).toBe(2);
      expect(await workspace.read("a.md")).toMatchObject({ text: "other", version: 2 });
      expect(workspace.files()).toEqual(CLEAN);
    }
  });

  it("between content and version has happened, for readers and for the next writer", async () => {
    using workspace = new Workspace();
    const place = placeIn(workspace);
    await workspace.write("a.md", "old", 0);
    writeFileSync(place.nextContent, "new");
    writeFileSync(place.nextVersion, "2");
    renameSync(place.nextContent, place.content);
    expect(await workspace.read("a.md")).toMatchObject({ text: "new", version: 2 });
    expect(await workspace.store.list("", "*")).toMatchObject([{ path: "a.md", version: 2 }]);
    expect(await workspace.store.list("a.md", "")).toMatchObject([{ version: 2 }]);
    await expect(workspace.write("a.md", "x", 1)).rejects.toThrow("version conflict: expected 1, current 2");
    expect(await workspace.write("a.md", "newer", 2)).toBe(3);
    expect(workspace.get("a.md.version")).toBe("3");
    expect(workspace.files()).toEqual(CLEAN);
  });

  it("while it created the document has happened, too", async () => {
    using workspace = new Workspace();
    const place = placeIn(workspace);
    writeFileSync(place.content, "new");
    writeFileSync(place.nextVersion, "1");
    expect(await workspace.read("a.md")).toMatchObject({ text: "new", version: 1 });
    expect(await workspace.write("a.md", "newer", 1)).toBe(2);
    expect(workspace.files()).toEqual(CLEAN);
  });

  it("is finished before a delete", async () => {
    using workspace = new Workspace();
    const place = placeIn(workspace);
    writeFileSync(place.content, "new");
    writeFileSync(place.nextVersion, "1");
    expect(await workspace.store.delete("a.md")).toBe(true);
    expect(workspace.files()).toEqual([".orchestra-lock.version"]);
  });

  it("with half a version file at its end costs no more than the count", async () => {
    using workspace = new Workspace();
    await workspace.write("a.md", "old", 0);
    writeFileSync(join(workspace.root, "a.md.version"), "");
    expect(await workspace.read("a.md")).toMatchObject({ text: "old", version: 1 });
    expect(await workspace.write("a.md", "new", 1)).toBe(2);
  });
});

describe("staged files", () => {
  it("are never listed, and swept once nobody can need them", async () => {
    using workspace = new Workspace();
    await workspace.write("a.md", "x", 0);
    const [fresh, stale] = [stagedPath(workspace.root), stagedPath(workspace.root)];
    for (const path of [fresh, stale]) writeFileSync(path, "left behind");
    const longAgo = Date.now() / 1000 - 2 * 60 * 60;
    utimesSync(stale, longAgo, longAgo);
    expect(await workspace.list("", "*")).toEqual(["a.md"]);
    rmSync(fresh);
    expect(workspace.files()).toEqual(CLEAN);
  });
});
