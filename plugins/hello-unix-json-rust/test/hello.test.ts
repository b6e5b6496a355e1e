import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { isAlive, request, startTestHub, type TestHub } from "@orchestrator/testkit";
import type { LinkPeer } from "@orchestrator/transport";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

const source = fileURLToPath(new URL("..", import.meta.url));
const target = fileURLToPath(new URL("../../../.tools/unix-json/target", import.meta.url));
const route = "/hello-unix-json-rust";

/** Where everything must be there, a missing cargo is a failure of the tests below and not a reason to leave them out. */
const isRequired = process.env["ORCHESTRATOR_REQUIRE"] === "all";
const built = await build();
const absent = isRequired ? undefined : built.problem;

/** Builds the plugin with the versions of its lock file, unless it is there already. */
async function build(): Promise<{ readonly problem: string | undefined }> {
  const cargo = (args: readonly string[]) =>
    promisify(execFile)("cargo", [...args], { cwd: source, env: { ...process.env, CARGO_TARGET_DIR: target } });
  try {
    await cargo(["--version"]);
  } catch {
    return { problem: "cargo is absent" };
  }
  try {
    await cargo(["build", "--release", "--locked", "--quiet"]);
    return { problem: undefined };
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string };
    return {
      problem: `the plugin cannot be built: ${(stderr ?? String(error)).trim().split("\n").slice(-3).join("; ")}`,
    };
  }
}

describe("the plugin in Rust, found in a plugin directory", () => {
  let directory: string;
  let hub: TestHub;
  let operator: LinkPeer;
  beforeAll(async () => {
    if (absent !== undefined) return;
    if (built.problem !== undefined) throw new Error(built.problem);
    directory = mkdtempSync(join(tmpdir(), "orchestrator-hello-"));
    mkdirSync(join(directory, "plugins"));
    copyFileSync(join(target, "release", "hello-unix-json-rust"), join(directory, "plugins", "hello.binary"));
    hub = await startTestHub({ directory, config: { plugin_dirs: ["plugins"] } });
    operator = await hub.connect("orchestrator-operator", undefined, "unix");
  });
  beforeEach((context) => {
    if (absent !== undefined) context.skip(absent);
  });
  afterAll(async () => {
    await hub?.stop();
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  const http = async (path: string, method = "GET", body = "", headers: { name: string; value: string }[] = []) => {
    const value = { route, method, path, headers, body: new TextEncoder().encode(body) };
    const { response, error } = await request(operator, { $case: "http", value });
    if (response?.$case !== "http") throw new Error(`answered with ${response?.$case}: ${error?.message}`);
    return { ...response.value, text: new TextDecoder().decode(response.value.body) };
  };
  const kv = async (action: string, args: object) => {
    const toolName = `hello-unix-json-rust_kv_${action}`;
    const value = { toolName, arguments: args, callerPlugin: "", traceParent: "", provider: "", sessionId: "" };
    const { response } = await request(operator, { $case: "toolCall", value });
    if (response?.$case !== "toolCall") throw new Error(`answered with ${response?.$case}`);
    return response.value;
  };

  it("answers, and knows the installation", async () => {
    const { status, headers, text } = await http("/");
    expect(headers).toMatchObject([{ name: "content-type", value: "application/json" }]);
    expect([status, JSON.parse(text)]).toMatchObject([
      200,
      { message: "Hello from Rust", instance_id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    ]);
  });

  it("sees the request as it was", async () => {
    const { text } = await http("/echo?q=1&r=%20", "PATCH", "Zoë 🦀", [{ name: "x-one", value: "1" }]);
    expect(JSON.parse(text)).toEqual({
      method: "PATCH",
      path: "/echo?q=1&r=%20",
      headers: { "x-one": "1" },
      body: "Zoë 🦀",
      query: "q=1&r=%20",
    });
  });

  it("gives a status of its own, and 500 with a reason at once", async () => {
    expect((await http("/nowhere")).status).toBe(404);
    expect(await http("/fail")).toMatchObject({ status: 500, text: expect.stringContaining("asked to fail") });
  });

  it("keeps a store", async () => {
    expect(await kv("get", { key: "a" })).toMatchObject({ success: true, result: { value: null } });
    await kv("set", { key: "a", value: "ä" });
    expect(await kv("get", { key: "a" })).toMatchObject({ success: true, result: { value: "ä" } });
    await kv("delete", { key: "a" });
    expect(await kv("get", { key: "a" })).toMatchObject({ success: true, result: { value: null } });
  });

  it("serves many at once, and large bodies", async () => {
    const bodies = Array.from({ length: 60 }, (_, index) => `${index}`.repeat(index % 10 === 0 ? 100_000 : 1));
    const answers = await Promise.all(bodies.map((body) => http("/echo", "POST", body)));
    expect(answers.every(({ text }, index) => JSON.parse(text).body === bodies[index])).toBe(true);
  });

  it("ends on request", async () => {
    const plugin = hub.hub.plugins[0]!;
    const { pid } = plugin.supervised;
    await hub.stop();
    expect(isAlive(pid)).toBe(false);
    const { lines } = await hub.hub.readPluginLog(plugin.id);
    expect(lines.map(({ message }) => message)).toContain("ends");
  });
});
