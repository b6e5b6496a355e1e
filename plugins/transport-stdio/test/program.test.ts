import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Program } from "./program.ts";
import { QuicHub } from "./quic-hub.ts";

let quic: QuicHub;
beforeAll(async () => {
  quic = await QuicHub.start();
  quic.hub.addTool("echo", (args) => ({ text: JSON.stringify(args) }));
  quic.hub.addTool("slow", async () => {
    await gate.promise;
    return { text: "at last" };
  });
  quic.hub.addTool("big", () => ({ text: "x".repeat(1 << 20) }));
});
afterAll(async () => {
  await quic[Symbol.asyncDispose]();
});
let gate = Promise.withResolvers<void>();

const program = (...more: string[]) =>
  new Program([`--orchestrator-addr=${quic.address}`, `--certs-dir=${quic.certsDir}`, ...more]);
const call = (id: number, name: string, args: unknown = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args },
});

describe("the program", () => {
  it("speaks on standard output, logs on standard error, and ends with its input", async () => {
    const others = new Set(quic.hub.links);
    await using run = program();
    await run.initialize();
    run.send(call(1, "echo", { a: 1 }));
    const { result } = await run.saw((message) => message["id"] === 1);
    expect(result.content[0].text).toBe('{"a":1}');
    const [mine] = [...quic.hub.links].filter((peer) => !others.has(peer));
    run.child.stdin.end();
    expect(await run.exited).toEqual({ code: 0, signal: null });
    expect(run.messages.every((message) => message["jsonrpc"] === "2.0")).toBe(true);
    expect(run.stderr).toContain("protocol 2025-11-25");
    // The hub is told, and does not have to find out.
    await mine?.link.closed;
    expect(mine?.link.isOpen).toBe(false);
  });

  it("takes flags in separate words, a byte order mark and carriage returns", async () => {
    await using run = new Program(["--orchestrator-addr", quic.address, "-certs-dir", quic.certsDir]);
    run.child.stdin.write(
      '\ufeff{"jsonrpc":"2.0","id":1,"method":"ping"}\r\n\r\n{"jsonrpc":"2.0","id":2,"method":"ping"}',
    );
    run.child.stdin.end();
    await run.exited;
    expect(run.messages).toEqual([
      { jsonrpc: "2.0", id: 1, result: {} },
      { jsonrpc: "2.0", id: 2, result: {} },
    ]);
  });

  it("waits at the end of its input for calls under way", async () => {
    gate = Promise.withResolvers();
    await using run = program();
    await run.initialize();
    const seen = quic.hub.requests.length;
    run.send(call(1, "slow"));
    run.child.stdin.end();
    while (!quic.hub.requests.slice(seen).some((request) => request.request?.$case === "toolCall")) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(run.child.exitCode).toBeNull();
    gate.resolve();
    expect(await run.exited).toEqual({ code: 0, signal: null });
    expect(run.messages.at(-1)?.["result"].content[0].text).toBe("at last");
  });

  it.each(["SIGTERM", "SIGINT"] as const)("ends with 0 on %s, in the middle of a call", async (signal) => {
    gate = Promise.withResolvers();
    await using run = program();
    await run.initialize();
    run.send(call(1, "slow"));
    await run.logged("Connected to the hub");
    run.child.kill(signal);
    expect(await run.exited).toEqual({ code: 0, signal: null });
  });

  it("refuses one line that is too long, and serves the next", async () => {
    await using run = program();
    await run.initialize();
    const chunk = "x".repeat(1 << 20);
    for (let i = 0; i < 11; i++) run.child.stdin.write(chunk);
    run.child.stdin.write(`\n${JSON.stringify(call(2, "echo"))}\n`);
    const { error } = await run.saw((message) => message["id"] === null);
    expect(error).toEqual({ code: -32600, message: "Invalid request: The line is longer than 10485760 bytes" });
    expect((await run.saw((message) => message["id"] === 2))["result"].content[0].text).toBe("{}");
  });

  it("takes a line of the largest size", async () => {
    await using run = program();
    await run.initialize();
    const empty = JSON.stringify(call(1, "echo", { a: "" })).length;
    const line = JSON.stringify(call(1, "echo", { a: "y".repeat(10 * 1024 * 1024 - empty) }));
    run.child.stdin.write(`${line}\n`);
    const { result } = await run.saw((message) => message["id"] === 1);
    expect(result.content[0].text.length).toBe(10 * 1024 * 1024 - empty + 8);
  });

  it("ends when nobody reads its answers any more", async () => {
    await using run = program();
    await run.initialize();
    run.child.stdout.destroy();
    run.send(call(1, "big"));
    expect(await run.exited).toEqual({ code: 0, signal: null });
  });

  it("loses no answer to a client that reads late", async () => {
    await using run = program();
    await run.initialize();
    run.child.stdout.pause();
    const total = 20;
    const before = quic.hub.requests.length;
    for (let id = 1; id <= total; id++) run.send(call(id, "big"));
    run.child.stdin.end();
    const calls = () => quic.hub.requests.slice(before).filter((request) => request.request?.$case === "toolCall");
    while (calls().length < total) await new Promise((resolve) => setImmediate(resolve));
    run.child.stdout.resume();
    expect(await run.exited).toEqual({ code: 0, signal: null });
    const answers = run.messages.slice(1).map((message) => message["result"].content[0].text.length);
    expect(answers).toEqual(Array(total).fill(1 << 20));
  });

  it("gives up with a clear word where there is no hub, no certificate, or the wrong one", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    await using nobody = new Program([`--orchestrator-addr=127.0.0.1:${port}`, `--certs-dir=${quic.certsDir}`]);
    await using noCerts = new Program([`--orchestrator-addr=${quic.address}`, "--certs-dir=/nonexistent"]);
    await using stranger = await QuicHub.start();
    await using foreign = new Program([`--orchestrator-addr=${quic.address}`, `--certs-dir=${stranger.certsDir}`]);
    for (const run of [nobody, noCerts, foreign]) {
      expect(await run.exited).toEqual({ code: 1, signal: null });
      expect(run.stderr).toContain("Cannot reach the hub at ");
      expect(run.messages).toEqual([]);
    }
    expect(noCerts.stderr).toContain('there is no "/nonexistent/ca.crt"');
    server.close();
  });

  it("ends with 2 on a flag that it does not know", async () => {
    await using run = new Program(["--listen-addr=localhost:0"]);
    expect(await run.exited).toEqual({ code: 2, signal: null });
    expect(run.stderr).toContain('Unknown flag "--listen-addr=localhost:0"');
  });
});

describe("a hub that goes away", () => {
  it("is waited for; calls meanwhile fail at once, and afterwards lists are new", async () => {
    await using own = await QuicHub.start();
    own.hub.addTool("echo", (args) => ({ text: JSON.stringify(args) }));
    own.hub.addTool("never", () => new Promise(() => {}));
    await using run = new Program([`--orchestrator-addr=${own.address}`, `--certs-dir=${own.certsDir}`]);
    await run.initialize();
    await own.hub.saw("subscribe", 2);
    run.send({ jsonrpc: "2.0", id: 0, method: "tools/list" });
    await run.saw((message) => message["id"] === 0);
    run.send(call(1, "never"));
    await own.hub.saw("toolCall");
    await own.stop();
    expect((await run.saw((message) => message["id"] === 1))["error"]).toMatchObject({
      code: -32603,
      data: { code: "UNAVAILABLE" },
    });
    const { params } = await run.saw((message) => message["method"] === "notifications/message");
    expect(params).toMatchObject({ level: "error", logger: "transport.stdio" });
    run.send(call(2, "echo"));
    expect((await run.saw((message) => message["id"] === 2))["error"]).toEqual({
      code: -32603,
      message: "The hub is not connected; trying to reach it again",
      data: { code: "UNAVAILABLE", retryable: true },
    });
    own.hub.addTool("newcomer", () => ({ text: "hello" }));
    const changes = () =>
      run.messages.filter((message) => message["method"] === "notifications/tools/list_changed").length;
    const before = changes();
    await own.restart();
    await own.hub.saw("subscribe", 4);
    run.send(call(3, "newcomer"));
    expect((await run.saw((message) => message["id"] === 3))["result"].content[0].text).toBe("hello");
    await run.saw(() => changes() > before);
  });
});
