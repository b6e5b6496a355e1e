import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Program, Scratch } from "../../test/hub.ts";
import { type RunOptions, run } from "../../test/run.ts";

let scratch: Scratch;
let hub: Program;
beforeAll(async () => {
  scratch = new Scratch();
  hub = await scratch.serve();
});
afterAll(async () => scratch[Symbol.asyncDispose]());

const here = (args: readonly string[], options: RunOptions = {}) =>
  run(args, { cwd: scratch.workspace, env: scratch.env, ...options });

describe("status, plugins, tools and prompts", () => {
  it("show the hub to people and to programs", async () => {
    const text = await here(["status"]);
    expect(text).toMatchObject({ code: 0, stderr: "" });
    expect(text.stdout).toMatch(/hub +running, process \d+/);
    expect(text.stdout).toMatch(/plugins +1 of 1 ready/);
    const { json } = await here(["status", "--json"]);
    expect(json()).toMatchObject({ pid: hub.child.pid, pluginsReady: 1, workspace: scratch.workspace, problems: [] });
    const plugins = (await here(["plugins", "--json"])).json();
    expect(plugins).toMatchObject([{ id: "tools.echo", state: "ready", version: "1.2.3", prompts: ["greet"] }]);
    expect(JSON.stringify(plugins)).not.toContain("_unknownFields");
    if (process.platform === "linux")
      expect(plugins[0].use).toMatchObject({ processes: 1, rssBytes: expect.any(Number) });
    expect((await here(["plugins"])).stdout).toMatch(/tools\.echo +ready +1\.2\.3 +pid \d+ .* 5 tools; 1 prompt/);
  });

  it("find the hub from a directory below the workspace, and by --workspace from elsewhere", async () => {
    expect((await here(["status"], { cwd: join(scratch.workspace, ".certs") })).code).toBe(0);
    expect((await run(["status", "-w", scratch.workspace], { cwd: "/", env: scratch.env })).code).toBe(0);
    expect(
      (await run(["status"], { cwd: "/", env: { ...scratch.env, ORCHESTRATOR_WORKSPACE: scratch.workspace } })).code,
    ).toBe(0);
  });

  it("list tools, and describe one", async () => {
    const { stdout } = await here(["tools"]);
    expect(stdout.split("\n").map((line) => line.split(" ")[0])).toEqual(["count", "echo", "fail", "say", "wait", ""]);
    expect(stdout).toContain("Returns its arguments.\n");
    const one = await here(["tools", "echo"]);
    expect(one.stdout).toMatch(/ {2}text +string +required +Any text\n {2}count +integer/);
    expect(one.stdout).toContain("(default false)");
    const missing = await here(["tools", "ehco"]);
    expect(missing).toMatchObject({ code: 3, stdout: "" });
    expect(missing.stderr).toBe('error: There is no tool "ehco"\nhint: Did you mean echo?\n');
  });

  it("list prompts, and fill one in", async () => {
    expect((await here(["prompts"])).stdout).toMatch(/greet +who\* +A greeting/);
    expect((await here(["prompts", "greet", "--arg", "who=Ada"])).stdout).toBe("user: Greet Ada kindly\n");
    expect((await here(["prompts", "greed"])).stderr).toContain("Did you mean greet?");
  });
});

describe("call", () => {
  it("gives each argument the type that the schema says", async () => {
    const args = ["text=a=b", "count=-3", "loud=true", "tags=x", "tags=y, z", 'extra:={"k":[1]}'].flatMap((arg) => [
      "--arg",
      arg,
    ]);
    const { code, json } = await here(["call", "echo", ...args, "--session", "s-1", "--output", "json"]);
    expect(code).toBe(0);
    expect(json()).toMatchObject({
      text: "a=b",
      count: -3,
      loud: true,
      tags: ["x", "y, z"],
      extra: { k: [1] },
      caller: "operator",
      sessionId: "s-1",
    });
  });

  it("takes all arguments as JSON, from a file or from stdin", async () => {
    const input = JSON.stringify({ text: "ümläut", count: 2 });
    writeFileSync(join(scratch.workspace, "input.json"), input);
    for (const way of [
      ["--json", input],
      ["--input", "input.json"],
      ["--input", "-"],
    ]) {
      const { code, json } = await here(["call", "echo", ...way, "-o", "json"], { input });
      expect([code, json()]).toEqual([0, expect.objectContaining({ text: "ümläut", count: 2 })]);
    }
    expect((await here(["call", "echo", "--arg", "text=x", "--json"])).json()).toMatchObject({ text: "x" });
  });

  it("prints text as text, with nothing in it that a terminal obeys", async () => {
    expect((await here(["call", "say"])).stdout).toBe("two\nlines \\x1b[31mred\\x07\n");
  });

  it("prints a stream as it comes", async () => {
    expect((await here(["call", "count"])).stdout).toBe("one two thrée");
    expect((await here(["call", "count", "--json"])).json().chunks.join("")).toBe("one two thrée");
  });

  it("ends with 4 when the tool fails, with its code and words", async () => {
    const text = await here(["call", "fail"]);
    expect(text).toMatchObject({
      code: 4,
      stdout: "",
      stderr: 'error: Tool "fail" failed (out_of_coffee): No coffee is left\n',
    });
    const { code, json } = await here(["call", "fail", "--json"]);
    expect([code, json()]).toEqual([
      4,
      { error: { code: "out_of_coffee", message: expect.stringContaining("No coffee"), exitCode: 4 } },
    ]);
  });

  it("ends with 3 when there is no such tool", async () => {
    expect(await here(["call", "ecko"])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("Did you mean echo?"),
    });
  });

  it.each([
    [["--arg", "text"], /Cannot read --arg "text"/],
    [["--arg", "text=x", "--arg", "text=y"], /stands twice/],
    [["--arg", "count=many"], /Cannot use "many" for --arg count: expected integer/],
    [["--arg", "extra:={"], /it is not JSON/],
    [["--json", "{"], /Cannot read --json/],
    [["--json", "[1]"], /an array, not a JSON object/],
    [["--input", "none.json"], /there is no such file/],
    [["--json", "{}", "--arg", "text=x"], /in one way/],
    [["--timeout", "soon"], /Expected a time/],
  ])("refuses %j with 2", async (args, message) => {
    const { code, stderr } = await here(["call", "echo", ...args]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it("stops waiting after --timeout, and shows progress until then", async () => {
    // On a busy machine the tool may not even have begun by then.
    let stderr = "";
    for (const timeout of ["300ms", "2s", "20s"]) {
      if (stderr.includes("%")) break;
      const ran = await here(["call", "wait", "--timeout", timeout]);
      expect(ran.code).toBe(1);
      ({ stderr } = ran);
    }
    expect(stderr).toMatch(/25 % a quarter\nerror: /);
  });

  it("ends with 130 when it is interrupted, and the tool is told", async () => {
    const interrupt = new AbortController();
    const waiting = here(["call", "wait"], { signal: interrupt.signal });
    const inFlight = async () => (await here(["status", "--json"])).json().callsInFlight;
    // Itself a call that is under way when it is answered.
    while ((await inFlight()) < 1) await new Promise((resolve) => setTimeout(resolve, 10));
    interrupt.abort("SIGINT");
    expect((await waiting).code).toBe(130);
    while ((await inFlight()) > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  });
});

describe("logs", () => {
  it("shows the last lines of all or of one", async () => {
    const { stdout } = await here(["logs"]);
    expect(stdout).toMatch(/info +hub orchestrator listening on 127\.0\.0\.1:\d+\n/);
    const lines = (await here(["logs", "tools.echo", "--json"])).stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(new Set(lines.map((line) => line.source))).toEqual(new Set(["tools.echo"]));
    expect((await here(["logs", "-n", "1"])).stdout.trim().split("\n")).toHaveLength(1);
    expect(await here(["logs", "nobody"])).toMatchObject({ code: 3, stderr: expect.stringContaining("tools.echo") });
  });

  it("follows until it is interrupted", async () => {
    const follower = scratch.start("logs", "-f");
    await follower.until(() => follower.stdout.includes("listening on"), "the past lines");
    const before = follower.stdout.length;
    expect((await here(["restart", "tools.echo"])).code).toBe(0);
    await follower.until(() => /tools\.echo ready after/.test(follower.stdout.slice(before)), "new lines");
    follower.child.kill("SIGINT");
    expect(await follower.exited).toBe(0);
  });
});

describe("restart", () => {
  it("replaces the plugin's process", async () => {
    const [before] = (await here(["plugins", "--json"])).json();
    const { code, json } = await here(["restart", "tools.echo", "--json"]);
    expect([code, json()]).toEqual([
      0,
      { plugin: "tools.echo", state: "ready", pid: expect.any(Number), enabled: true },
    ]);
    expect(json().pid).not.toBe(before.pid);
    expect((await here(["call", "count"])).code).toBe(0);
  });

  it("names the plugins that there are", async () => {
    expect(await here(["restart", "tools.nope"])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("There are: tools.echo"),
    });
  });
});

describe("plugins ACTION", () => {
  const pid = async () => (await here(["plugins", "--json"])).json()[0].pid;

  it("disables and enables", async () => {
    const disabled = await here(["plugins", "disable", "tools.echo", "--json"]);
    expect([disabled.code, disabled.json()]).toEqual([
      0,
      { plugin: "tools.echo", state: "stopped", pid: 0, enabled: false },
    ]);
    expect((await here(["plugins"])).stdout).toMatch(/tools\.echo +disabled/);
    expect((await here(["call", "say"])).code).toBe(3);
    const refused = await here(["plugins", "restart", "tools.echo"]);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining("orchestrator plugins enable tools.echo"),
    ]);
    const enabled = await here(["plugins", "enable", "tools.echo"]);
    expect([enabled.code, enabled.stdout]).toEqual([
      0,
      expect.stringMatching(/^tools\.echo ready, process \d+, after /),
    ]);
    expect((await here(["call", "say"])).code).toBe(0);
  });

  it("upgrades, restarts and resets", async () => {
    for (const action of ["upgrade", "restart"]) {
      const before = await pid();
      expect((await here(["plugins", action, "tools.echo"])).code).toBe(0);
      expect(await pid()).not.toBe(before);
    }
    expect((await here(["plugins", "reset", "tools.echo"])).code).toBe(0);
  });

  it("reads the configuration again", async () => {
    const before = await pid();
    const file = join(scratch.workspace, "plugins.yaml");
    const config = JSON.parse(readFileSync(file, "utf8"));
    const other = { ...config.plugins[0], id: "tools.other", enabled: false };
    writeFileSync(file, JSON.stringify({ plugins: [...config.plugins, other] }));
    const added = await here(["plugins", "reload", "--json"]);
    expect([added.code, added.json()]).toMatchObject([0, { added: ["tools.other"], removed: [], restarted: [] }]);
    writeFileSync(file, "plugins: [{id: tools.echo}]");
    const wrong = await here(["plugins", "reload"]);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("needs a binary or a command")]);
    writeFileSync(file, JSON.stringify(config));
    const removed = await here(["plugins", "reload"]);
    expect(removed.stdout).toBe("Read the configuration again, 1 plugin: removed tools.other\n");
    expect(await pid()).toBe(before);
  });

  it.each([
    [["frobnicate"], /Allowed choices are enable, disable/],
    [["enable"], /enable needs the id of a plugin/],
    [["reload", "tools.echo"], /takes no plugin/],
  ])("refuses %j with 2", async (args, message) => {
    const { code, stderr } = await here(["plugins", ...args]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it("names the plugins that there are", async () => {
    expect(await here(["plugins", "enable", "nope"])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("There are: tools.echo"),
    });
  });
});
