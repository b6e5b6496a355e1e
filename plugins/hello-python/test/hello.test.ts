import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { manifestFromJson, PluginRequest, PluginResponse, WireErrorCode } from "@orchestrator/protocol";
import { hasPython, isAlive, request, startTestHub, type TestHub } from "@orchestrator/testkit";
import { LinkPeer } from "@orchestrator/transport";
import { SocketLink } from "@orchestrator/transport-socket";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const program = fileURLToPath(new URL("../hello.py", import.meta.url));
const plugin = { id: "hello.python", binary: program };

/** Where everything must be there, a missing Python is a failure of the tests below and not a reason to leave them out. */
const isRequired = process.env["ORCHESTRATOR_REQUIRE"] === "all";
const run = hasPython("3.8") || isRequired ? describe : describe.skip;

/** Calls a tool through the hub; what the caller says of itself must not count. */
async function call(peer: LinkPeer, toolName: string, args: object) {
  const value = { toolName, arguments: args, callerPlugin: "mallory", traceParent: "", provider: "", sessionId: "" };
  const { response } = await request(peer, { $case: "toolCall", value });
  if (response?.$case !== "toolCall") throw new Error(`answered with ${response?.$case}`);
  return response.value;
}

run("hello.py under a hub", () => {
  let hub: TestHub;
  let operator: LinkPeer;
  beforeAll(async () => {
    hub = await startTestHub({ plugins: [plugin] });
    operator = await hub.connect("orchestrator-operator", undefined, "unix");
  });
  afterAll(() => hub?.stop());

  it("prints a manifest", () => {
    const manifest = manifestFromJson(execFileSync(program, ["--manifest"], { encoding: "utf8" }));
    expect(manifest).toMatchObject({ id: "hello.python", providesTools: ["py_hello", "py_ask", "py_count"] });
  });

  it("lists its tools with their schemas", async () => {
    const { response } = await request(operator, { $case: "listTools", value: {} });
    const tools = response?.$case === "listTools" ? response.value.tools : [];
    expect(tools.map(({ name, streaming }) => [name, streaming])).toEqual(
      expect.arrayContaining([
        ["py_hello", false],
        ["py_count", true],
      ]),
    );
    expect(tools.find(({ name }) => name === "py_hello")?.inputSchema).toEqual({
      type: "object",
      properties: { name: { type: "string" } },
    });
  });

  it("answers, and knows who really asks", async () => {
    const answer = await call(operator, "py_hello", { name: "Zoë 🐍" });
    expect(answer).toMatchObject({ success: true, result: { text: "Hello Zoë 🐍", caller: "operator" } });
  });

  it("calls other tools through the hub, in its own name", async () => {
    const args = { tool: "py_hello", arguments: { name: "me", deep: [1, null, true, { a: [] }] } };
    const answer = await call(operator, "py_ask", args);
    expect(answer.result).toEqual({ text: "Hello me", caller: "hello.python" });
    const missing = await call(operator, "py_ask", { tool: "no_such_tool" });
    expect(missing).toMatchObject({ success: false, errorCode: "tool_not_found" });
  });

  it.each([65_000, 65_536, 70_000, 1_000_000, 12_000_000])(
    "takes and gives %i bytes, in pieces where needed",
    async (size) => {
      const name = "n".repeat(size);
      const answer = await call(operator, "py_ask", { tool: "py_hello", arguments: { name } });
      expect(answer.result?.["text"] === `Hello ${name}`).toBe(true);
    },
  );

  it("serves many calls at once, long ones beside short ones", async () => {
    const names = Array.from({ length: 200 }, (_, index) => `${index}`.repeat(index % 20 === 0 ? 60_000 : 1));
    const answers = await Promise.all(
      names.map((name, index) =>
        index % 2 === 0
          ? call(operator, "py_hello", { name })
          : call(operator, "py_ask", { tool: "py_hello", arguments: { name } }),
      ),
    );
    expect(answers.every(({ result }, index) => result?.["text"] === `Hello ${names[index]}`)).toBe(true);
  });

  it("fails in words that its caller understands", async () => {
    expect(await call(operator, "py_ask", {})).toMatchObject({ success: false, errorCode: "handler_error" });
    const { error } = await request(operator, {
      $case: "toolCall",
      value: { ...toolRequest, toolName: "py_ask", arguments: { tool: 5, arguments: 5 } },
    });
    expect(error).toMatchObject({ code: WireErrorCode.ERROR_CODE_INTERNAL, message: expect.stringContaining("items") });
  });

  it("streams at the pace of its caller, and stops when that leaves", async () => {
    const chunks: number[] = [];
    let end: PluginResponse["response"];
    for await (const bytes of operator.stream(streamStart("s1", 64, 50_000))) {
      const { response } = PluginResponse.decode(bytes);
      if (response?.$case === "streamChunk") chunks.push(response.value.sequence);
      else end = response;
    }
    expect(chunks).toEqual(Array.from({ length: 64 }, (_, index) => index));
    expect(end).toMatchObject({ $case: "streamEnd", value: { success: true, totalChunks: 64 } });
    for await (const _ of operator.stream(streamStart("s2", 1e9, 100_000))) break;
    expect(await call(operator, "py_hello", { name: "after" })).toMatchObject({ success: true });
  });

  it("is started again after a crash, and the calls meanwhile are answered", async () => {
    const before = await status(operator);
    // 0 would be this process and all that started it.
    expect(before.pid).toBeGreaterThan(0);
    process.kill(before.pid, "SIGKILL");
    const supervised = hub.hub.plugins[0]!.supervised;
    await supervised.reached("backoff");
    await supervised.reached("ready");
    const after = await status(operator);
    expect([after.starts, after.pid === before.pid, isAlive(before.pid)]).toEqual([before.starts + 1, false, false]);
    expect(await call(operator, "py_hello", { name: "again" })).toMatchObject({ success: true });
  });

  it("ends with its hub", async () => {
    const { pid } = await status(operator);
    await hub.stop();
    expect(isAlive(pid)).toBe(false);
  });
});

run("hello.py on a bare socket", () => {
  it("answers everything that a host asks, and ends with the socket", async () => {
    const child = spawn(program, [], {
      stdio: ["ignore", "ignore", "inherit", "pipe"],
      env: { ...process.env, ORCHESTRATOR_LINK: "fd:3" },
    });
    const exited = once(child, "exit");
    const host = new LinkPeer();
    const options = { carrier: "fd", peer: "hello.python", remoteAddress: "fd:3", isConnector: false } as const;
    const link = new SocketLink(child.stdio[3] as Duplex, options, host.accept);
    const ask = async (member: NonNullable<PluginRequest["request"]>) => (await request(host, member)).response;
    expect(await ask({ $case: "boot", value: { config: { a: "b" } } })).toMatchObject({ value: { ready: true } });
    expect(await ask({ $case: "health", value: {} })).toMatchObject({ value: { status: 1, message: "ok" } });
    expect(await ask({ $case: "listPrompts", value: {} })).toMatchObject({ $case: "listPrompts" });
    expect(await ask({ $case: "storageList", value: { prefix: "", pattern: "", storageType: "" } })).toMatchObject({
      value: { success: false, errorCode: "unknown_request" },
    });
    expect(await ask({ $case: "shutdown", value: { timeoutSeconds: 1 } })).toMatchObject({ value: { clean: true } });
    expect(link.isOpen).toBe(true);
    (child.stdio[3] as Duplex).destroy();
    expect(await exited).toEqual([0, null]);
  });

  it("says hello and answers pings, whatever comes in between", async () => {
    const child = spawn(program, [], {
      stdio: ["ignore", "ignore", "inherit", "pipe"],
      env: { ...process.env, ORCHESTRATOR_LINK: "fd:3" },
    });
    const exited = once(child, "exit");
    const socket = child.stdio[3] as Duplex;
    // A hello, messages for calls that never were, a goaway, and a ping "12345678" that comes in two halves.
    socket.write(Buffer.from("0000000a00000000004f52434801" + "000000050000000103" + "00000006000000020600", "hex"));
    socket.write(Buffer.from("00000005000000000a" + "0000000d0000000008313233", "hex"));
    let seen = "";
    for await (const chunk of socket) {
      seen += (chunk as Buffer).toString("hex");
      if (seen === "0000000a00000000004f52434801") socket.write(Buffer.from("3435363738", "hex"));
      if (seen.endsWith("0000000d00000000093132333435363738")) break;
    }
    expect(await exited).toEqual([0, null]);
  });

  it("says so where there is no socket", async () => {
    const child = spawn(program, [], { stdio: ["ignore", "ignore", "pipe"], env: { PATH: process.env["PATH"] } });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += String(chunk);
    });
    expect(await once(child, "close")).toEqual([1, null]);
    expect(stderr).toContain("ORCHESTRATOR_LINK");
  });
});

const toolRequest = { callerPlugin: "", traceParent: "", provider: "", sessionId: "" };

function streamStart(streamId: string, to: number, bytes: number): Uint8Array {
  const value = { streamId, toolName: "py_count", arguments: { to, bytes }, callerPlugin: "" };
  return PluginRequest.encode({
    requestId: streamId,
    request: { $case: "streamStart", value },
    context: undefined,
  }).finish();
}

/** The plugin as the operator sees it. */
async function status(operator: LinkPeer) {
  const { response } = await request(operator, {
    $case: "control",
    value: { command: { $case: "plugins", value: {} } },
  });
  const result = response?.$case === "control" ? response.value.result : undefined;
  if (result?.$case !== "plugins") throw new Error(`answered with ${result?.$case}`);
  return result.value.plugins[0]!;
}
