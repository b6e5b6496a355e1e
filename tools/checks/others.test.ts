import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkLength } from "./length.ts";
import { checkPackages } from "./packages.ts";
import { openRepo } from "./repo.ts";
import { problemsIn } from "./scratch.ts";

describe("checkLength", () => {
  const lines = (count: number) => "x\n".repeat(count);

  it("allows 300 lines, in tests and generated code any number", async () => {
    const files = {
      "a.ts": lines(300),
      "a.test.ts": lines(301),
      "packages/gen/src/a_pb.ts": lines(301),
      "a.md": lines(301),
      "x/gen/a.pb.go": lines(301),
    };
    expect(await problemsIn(checkLength, files)).toEqual([]);
  });

  it.each(["a.ts", "tools/a.mjs", "a.go"])("301 lines in %s bite", async (file) => {
    expect(await problemsIn(checkLength, { [file]: lines(301) })).toEqual([
      `${file}:300: has 301 lines, more than 300: look for the second subject`,
    ]);
  });
});

describe("checkPackages", () => {
  const good = {
    name: "@o/a",
    description: "A.",
    license: "Apache-2.0",
    type: "module",
    exports: { ".": "./src/index.ts" },
    publishConfig: { exports: { ".": {} } },
    scripts: { build: "b", typecheck: "t", test: "v" },
  };
  const check = (manifest: object, readme = true) =>
    problemsIn(checkPackages, {
      "packages/a/package.json": JSON.stringify(manifest),
      ...(readme ? { "packages/a/README.md": "# a" } : {}),
    });

  it("has nothing to say of a whole package", async () => {
    expect(await check(good)).toEqual([]);
  });

  it.each([
    [{ license: "MIT" }, "license is not Apache-2.0"],
    [{ type: "commonjs" }, 'type is not "module"'],
    [{ description: "" }, "has no description"],
    [{ scripts: { build: "b", typecheck: "t" } }, 'has no script "test"'],
    [{ exports: { ".": "x", "./more": "y" } }, 'exports ". ./more", but publishes "."'],
  ])("%j bites", async (change, problem) => {
    expect(await check({ ...good, ...change })).toEqual([`packages/a/package.json:1: ${problem}`]);
  });

  it("a missing README bites", async () => {
    expect(await check(good, false)).toEqual(["packages/a/package.json:1: has no README.md"]);
  });
});

describe("openRepo", () => {
  it("lists tracked files and new ones, not ignored and not deleted ones", () => {
    const root = mkdtempSync(join(tmpdir(), "orchestrator-repo-"));
    try {
      const git = (...args: string[]) => execFileSync("git", args, { cwd: root });
      git("init", "-q");
      for (const name of ["tracked.ts", "deleted.ts", "new ü.ts", "ignored.ts"]) writeFileSync(join(root, name), "");
      writeFileSync(join(root, ".gitignore"), "ignored.ts\n");
      git("add", "tracked.ts", "deleted.ts");
      unlinkSync(join(root, "deleted.ts"));
      expect([...openRepo(root).files].sort()).toEqual([".gitignore", "new ü.ts", "tracked.ts"]);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
