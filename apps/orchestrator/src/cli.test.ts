import { describe, expect, it } from "vitest";
import { run, tempDirectory } from "../test/run.ts";
import { nearest } from "./suggest.ts";

const COMMANDS = [
  "serve",
  "mcp",
  "init",
  "demo",
  "status",
  "plugins",
  "tools",
  "prompts",
  "call",
  "logs",
  "restart",
  "stop",
  "doctor",
  "new",
  "completion",
  "version",
];

describe("the program", () => {
  it("shows every command, and for each its options and examples", async () => {
    const { code, stdout } = await run(["--help"]);
    expect(code).toBe(0);
    for (const name of COMMANDS) {
      expect(stdout).toMatch(new RegExp(`\n  ${name} `));
      const help = await run([name, "--help"]);
      expect([help.code, help.stderr]).toEqual([0, ""]);
      expect(help.stdout).toMatch(/--json/);
      if (name !== "version") expect(help.stdout).toMatch(/Examples:\n( {2}# .*\n)? {2}\$ .*orchestrator /);
      expect(Math.max(...help.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(130);
    }
  });

  it("ends with 2 and a hint for a wrong command line", async () => {
    expect(await run([])).toMatchObject({ code: 2, stdout: "" });
    const unknown = await run(["stats"]);
    expect(unknown).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/unknown command 'stats'[\s\S]*Did you mean status\?/),
    });
    expect(await run(["version", "--jsn"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("(Did you mean --json?)"),
    });
    expect(await run(["call"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("missing required argument 'tool'"),
    });
  });

  it("prints its version in two ways", async () => {
    expect((await run(["--version"])).stdout).toBe("0.1.0\n");
    expect((await run(["version"])).stdout).toMatch(/^orchestrator 0\.1\.0 \((node|deno) [\d.]+, \w+-\w+\)\n$/);
  });

  it("reports errors as JSON on request", async () => {
    const cwd = tempDirectory();
    const { code, json, stderr } = await run(["status", "--json"], { cwd });
    expect([code, stderr]).toEqual([3, ""]);
    expect(json()).toEqual({
      error: {
        code: "UNAVAILABLE",
        message: `No hub runs for workspace "${cwd}"`,
        exitCode: 3,
        hint: expect.stringContaining("serve"),
      },
    });
  });

  it("reports a wrong command line as JSON, too, and leaves the words to people on stderr", async () => {
    for (const args of [
      ["kv", "set", "a", "b", "--ttl", "0", "--json"],
      ["plugins", "--json", "bogus"],
      ["stats", "--json"],
      ["version", "--json", "--bad"],
    ]) {
      const { code, json, stderr } = await run(args);
      expect([code, stderr]).toEqual([2, expect.stringContaining("error: ")]);
      expect(json()).toEqual({ error: { code: "INVALID_ARGUMENT", message: expect.any(String), exitCode: 2 } });
    }
    // Here it is the arguments of a tool, and there it is a value.
    expect(await run(["call", "x", "--json", "{}", "--bad"])).toMatchObject({ code: 2, stdout: "" });
    expect(await run(["version", "--bad", "--", "--json"])).toMatchObject({ code: 2, stdout: "" });
  });

  it("reports an interrupt as JSON", async () => {
    const { code, json, stderr } = await run(["status", "--json"], {
      cwd: tempDirectory(),
      signal: AbortSignal.abort("SIGINT"),
    });
    expect([code, stderr]).toEqual([130, ""]);
    expect(json()).toEqual({ error: { code: "CANCELLED", message: "It was interrupted", exitCode: 130 } });
  });

  it("shows everything on a terminal that does not know its width", async () => {
    const { stdout } = await run(["help"], { isTTY: true, columns: 0 });
    expect(stdout).toContain("Run the hub of a workspace until it is stopped\n");
  });

  it("colours for terminals alone, unless the environment says otherwise", async () => {
    const cwd = tempDirectory();
    const colours = async (env: Record<string, string>, isTTY: boolean) =>
      (await run(["status"], { cwd, env, isTTY })).stderr.includes("\x1b[");
    expect(await colours({}, false)).toBe(false);
    expect(await colours({}, true)).toBe(true);
    expect(await colours({ NO_COLOR: "1" }, true)).toBe(false);
    expect(await colours({ NO_COLOR: "1", FORCE_COLOR: "1" }, true)).toBe(false);
    expect(await colours({ FORCE_COLOR: "1" }, false)).toBe(true);
    expect(await colours({ FORCE_COLOR: "0" }, true)).toBe(false);
    expect(await colours({ TERM: "dumb" }, true)).toBe(false);
  });
});

describe("completion", () => {
  it("names the shells that it knows", async () => {
    expect(await run(["completion", "tcsh"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("bash, zsh, fish"),
    });
  });
});

it.each([
  ["statsu", "status"],
  ["ehco", "echo"],
  ["creat_feature", "create_feature"],
  ["xyz", undefined],
  ["", undefined],
])("takes %s for %s", (word, meant) => {
  expect(nearest(word, ["status", "echo", "create_feature", "stop"])).toBe(meant);
});
