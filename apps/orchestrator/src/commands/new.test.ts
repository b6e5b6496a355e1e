import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Scratch } from "../../test/hub.ts";
import { run, tempDirectory } from "../../test/run.ts";
import { toolName } from "../scaffold/files.ts";

const node = (cwd: string, ...args: string[]): string =>
  // Without what the test runner sets for its own children.
  execFileSync(process.execPath, args, { cwd, encoding: "utf8", env: { PATH: process.env["PATH"] ?? "" } });

describe("orchestrator new", () => {
  it("makes a plugin that passes its test, checks, builds, and serves in a hub at once", async () => {
    await using scratch = new Scratch();
    const directory = join(scratch.path, "notes");
    const { code, json } = await run(["new", "tools.my-notes", "--dir", directory, "--json"], { cwd: scratch.path });
    expect(code).toBe(0);
    const { scripts } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
    expect(scripts.test).toBe('node --test "src/**/*.test.ts"');
    expect(node(directory, "--test", "src/**/*.test.ts")).toMatch(/pass 2\n[\s\S]*fail 0/);
    expect(JSON.parse(node(directory, "src/main.ts", "--manifest"))).toMatchObject({
      id: "tools.my-notes",
      provides_tools: ["my_notes_greet"],
    });
    expect(scripts.build).toBe("tsc");
    node(directory, join(directory, "node_modules", "typescript", "bin", "tsc"));
    expect(JSON.parse(node(directory, "dist/main.js", "--manifest"))).toMatchObject({ id: "tools.my-notes" });

    const hub = scratch.start("serve", "--workspace", directory, "--listen-addr", "localhost:0", "--json");
    await hub.until(() => hub.stdout.includes('"pluginsReady": 1'), "the plugin to be ready");
    const called = await run(["call", json().tool, "--arg", "name=Ada", "--arg", "times=2"], {
      cwd: directory,
      env: scratch.env,
    });
    expect(called).toMatchObject({ code: 0, stdout: "Hello, Ada! Hello, Ada!\n" });
  });

  it("overwrites nothing", async () => {
    const cwd = tempDirectory();
    mkdirSync(join(cwd, "tools.x"));
    writeFileSync(join(cwd, "tools.x", "mine.txt"), "");
    expect(await run(["new", "tools.x"], { cwd })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("not empty"),
    });
    expect(readdirSync(join(cwd, "tools.x"))).toEqual(["mine.txt"]);
  });

  it.each(["../x", "a/b", "orchestrator", "x y", ""])("refuses the id %j", async (id) => {
    const cwd = tempDirectory();
    expect(await run(["new", id], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Cannot use plugin id"),
    });
    expect(existsSync(join(cwd, "..", "x", "package.json"))).toBe(false);
    expect(readdirSync(cwd)).toEqual([]);
  });
});

it.each([
  ["tools.my-notes", "my_notes_greet"],
  ["x", "x_greet"],
  ["tools.2fa", "plugin_2fa_greet"],
  ["A.B@C", "b_c_greet"],
])("calls the tool of %s %s", (id, name) => expect(toolName(id)).toBe(name));
