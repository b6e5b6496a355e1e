import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Scratch } from "../../test/hub.ts";
import { type RunOptions, run } from "../../test/run.ts";

const program = fileURLToPath(new URL("../../../../packages/hub/test/fixtures/unix-json-plugin.ts", import.meta.url));

let scratch: Scratch;
beforeAll(async () => {
  scratch = new Scratch({});
  const plugins = join(scratch.path, "plugins");
  mkdirSync(plugins);
  for (const id of ["hello", "other"]) {
    const file = join(plugins, `${id}.binary`);
    writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${program}' ${id} /${id} "$@"\n`);
    chmodSync(file, 0o755);
  }
  writeFileSync(join(scratch.path, "plugins.yaml"), JSON.stringify({ plugin_dirs: ["plugins"] }));
  await scratch.serve();
});
afterAll(async () => scratch[Symbol.asyncDispose]());

const here = (args: readonly string[], options: RunOptions = {}) =>
  run(["http", ...args], { cwd: scratch.workspace, env: scratch.env, ...options });

describe("http", () => {
  it("prints what a plugin answers, and with -i how", async () => {
    const { code, stdout } = await here(["get", "/hello"]);
    expect([code, JSON.parse(stdout).message]).toEqual([0, "hello"]);
    const { stdout: whole } = await here(["GET", "/hello/echo?a=1", "-i"]);
    expect(whole).toMatch(/^201 Created\ncontent-type: application\/json\n\n\{"method":"GET","path":"\/echo\?a=1"/);
  });

  it("sends headers and bodies, from the line, a file or standard input, with a type that fits", async () => {
    writeFileSync(join(scratch.path, "body.txt"), "Zoë\n");
    const sent = async (args: readonly string[], options: RunOptions = {}) => {
      const { stdout } = await here(["POST", "/hello/echo", ...args], options);
      return JSON.parse(stdout) as { body: string | null; headers: Record<string, string> };
    };
    expect(await sent([])).toMatchObject({ body: null, headers: {} });
    expect(await sent(["--data", '{"a":1}', "-H", "X-One: 1"])).toMatchObject({
      body: '{"a":1}',
      headers: { "content-type": "application/json", "x-one": "1" },
    });
    expect(await sent(["--data", "@body.txt"])).toMatchObject({
      body: "Zoë\n",
      headers: { "content-type": "text/plain; charset=utf-8" },
    });
    expect(await sent(["--data", "-", "--header", "content-type: a/b"], { input: "in" })).toMatchObject({
      body: "in",
      headers: { "content-type": "a/b" },
    });
    expect(JSON.parse((await here(["GET", "/hello/echo?q=a b&r=ü%20"])).stdout).path).toBe("/echo?q=a%20b&r=%C3%BC%20");
  });

  it("gives programs status, headers and body", async () => {
    const { code, json } = await here(["GET", "/other/nowhere", "--json"]);
    expect([code, json()]).toEqual([
      4,
      {
        status: 404,
        headers: [{ name: "content-type", value: "application/json" }],
        body: '{"error":"Not found"}',
      },
    ]);
  });

  it.each([
    ["/nobody", 3, '404 Not Found (NOT_FOUND): No plugin has a route for "/nobody". There are: /hello, /other'],
    ["/hello/../x", 1, "400 Bad Request (INVALID_ARGUMENT)"],
    ["/hello/hang-up", 1, "502 Bad Gateway (UNAVAILABLE)"],
    ["/hello/garbage", 1, "502 Bad Gateway (PROTOCOL)"],
    ["/hello/silent", 1, "504 Gateway Timeout (DEADLINE_EXCEEDED)"],
  ])("%s ends with %i and says why", async (path, code, message) => {
    const result = await here(["GET", path, "--timeout", path === "/hello/silent" ? "300ms" : "60s"]);
    expect([result.code, result.stdout]).toEqual([code, ""]);
    expect(result.stderr).toContain(message);
  });

  it("tells programs the code and the status of a failure", async () => {
    const { code, json } = await here(["GET", "/hello/silent", "--timeout", "300ms", "--json"]);
    expect([code, json()]).toMatchObject([1, { error: { code: "DEADLINE_EXCEEDED", details: { status: 504 } } }]);
  });

  it("the list of plugins names the routes", async () => {
    const { stdout } = await run(["plugins"], { cwd: scratch.workspace, env: scratch.env });
    expect(stdout).toMatch(/hello +ready .*HTTP \/hello; 3 tools/);
  });

  it("finds mistakes in the command line", async () => {
    expect(await here(["GE T", "/hello"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("no HTTP method"),
    });
    expect(await here(["GET", "/hello", "-H", "nothing"])).toMatchObject({ code: 2 });
    expect(await here(["GET", "hello"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('does not start with "/"'),
    });
    expect(await here(["GET", "/hello", "-d", "@missing"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("there is no such file"),
    });
  });
});
