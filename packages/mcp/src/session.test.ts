import { describe, expect, it } from "vitest";
import { initializeParams, startSession } from "../test/harness.ts";
import { PROTOCOL_VERSIONS, RpcCode } from "./index.ts";

describe("initialize", () => {
  it.each(PROTOCOL_VERSIONS)("settles on %s when the client asks for it", async (version) => {
    const { result } = await startSession().ask("initialize", initializeParams(version));
    expect(result.protocolVersion).toBe(version);
    expect(result._sessionId).toBe("session-1");
    expect(result.instructions).toBe("Begin");
    expect(result.serverInfo).toMatchObject({ name: "orchestra", version: "1.2.3" });
    expect(result.serverInfo.title).toBe(version >= "2025-06-18" ? "Orchestra" : undefined);
    expect(result.serverInfo.description).toBe(version >= "2025-11-25" ? "d" : undefined);
    expect(result.capabilities).toEqual({
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true },
      logging: {},
      ...(version >= "2025-03-26" ? { completions: {} } : {}),
    });
  });

  it.each(["2023-01-01", "2026-07-28", "", "nonsense"])(
    "offers the newest version to a client that asks for %j",
    async (version) => {
      const { result } = await startSession().ask("initialize", initializeParams(version));
      expect(result.protocolVersion).toBe("2025-11-25");
    },
  );

  it.each([
    ["no parameters", undefined],
    ["no version", { capabilities: {} }],
    ["a version that is no text", { protocolVersion: 1 }],
    ["capabilities that are a list", { protocolVersion: "2025-11-25", capabilities: [] }],
    ["client info that is text", { protocolVersion: "2025-11-25", clientInfo: "me" }],
  ])("refuses %s", async (_what, params) => {
    const { error } = await startSession().ask("initialize", params);
    expect(error.code).toBe(RpcCode.InvalidParams);
  });

  it("starts over with a new session id, while calls under way go on", async () => {
    let ids = 0;
    const { ask, send, session, saw, backend } = startSession("2025-11-25", { newSessionId: () => `s${++ids}` });
    expect(session.sessionId).toBe("s1");
    send({ jsonrpc: "2.0", id: "old", method: "tools/call", params: { name: "waits" } });
    const { result } = await ask("initialize", initializeParams("2024-11-05"));
    expect(result).toMatchObject({ protocolVersion: "2024-11-05", _sessionId: "s2" });
    expect(backend.seen[0]?.call.sessionId).toBe("s1");
    await ask("tools/call", { name: "echo" });
    expect(backend.seen[1]?.call.sessionId).toBe("s2");
    backend.tools.set("echo", () => ({ ok: true, value: { text: "" } }));
    session.close();
    expect(backend.seen[0]?.call.signal.aborted).toBe(true);
    await saw(() => true);
  });

  it("refuses everything but ping before the handshake", async () => {
    const { ask } = startSession();
    expect((await ask("ping")).result).toEqual({});
    for (const method of ["tools/list", "tools/call", "prompts/list", "resources/list", "logging/setLevel"]) {
      expect((await ask(method)).error).toMatchObject({ code: RpcCode.InvalidRequest });
    }
    expect((await ask("server/discover")).error.code).toBe(RpcCode.MethodNotFound);
  });
});

describe("JSON-RPC", () => {
  const request = { jsonrpc: "2.0", id: 7, method: "ping" };
  const { InvalidRequest, MethodNotFound, InvalidParams, ParseError } = RpcCode;

  it.each([
    ["text that is not JSON", "{", null, ParseError],
    ["an empty text", "", null, ParseError],
    ["two values", "{} {}", null, ParseError],
    ["a number", "1", null, InvalidRequest],
    ["null", "null", null, InvalidRequest],
    ["text", '"ping"', null, InvalidRequest],
    ["an empty object", "{}", null, InvalidRequest],
    ["no version", JSON.stringify({ id: 7, method: "ping" }), 7, InvalidRequest],
    ["another version", JSON.stringify({ ...request, jsonrpc: "1.0" }), 7, InvalidRequest],
    ["a method that is no text", JSON.stringify({ ...request, method: 1 }), 7, InvalidRequest],
    ["no method", JSON.stringify({ jsonrpc: "2.0", id: "x" }), "x", InvalidRequest],
    ["an id of null", JSON.stringify({ ...request, id: null }), null, InvalidRequest],
    ["a fraction as id", JSON.stringify({ ...request, id: 1.5 }), null, InvalidRequest],
    [
      "an id that a double cannot hold",
      '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}',
      null,
      InvalidRequest,
    ],
    ["an object as id", JSON.stringify({ ...request, id: {} }), null, InvalidRequest],
    ["text as parameters", JSON.stringify({ ...request, params: "bar" }), 7, InvalidRequest],
    ["a list as parameters", JSON.stringify({ ...request, params: [] }), 7, InvalidParams],
    ["an unknown method", JSON.stringify({ ...request, method: "foo" }), 7, MethodNotFound],
    ["a method of every object", JSON.stringify({ ...request, method: "constructor" }), 7, MethodNotFound],
    ["a notification's name with an id", JSON.stringify({ ...request, method: "notifications/x" }), 7, MethodNotFound],
    [
      "a capability that is not offered",
      JSON.stringify({ ...request, method: "resources/subscribe" }),
      7,
      MethodNotFound,
    ],
  ])("answers %s", (_what, text, id, code) => {
    const { session, sent } = startSession("2025-11-25");
    session.receive(text);
    expect(sent).toEqual([
      { jsonrpc: "2.0", id, error: expect.objectContaining({ code, message: expect.any(String) }) },
    ]);
  });

  it.each([
    ["an unknown notification", { jsonrpc: "2.0", method: "notifications/nobody" }],
    ["a request without id", { jsonrpc: "2.0", method: "tools/list" }],
    ["a notification with a list as parameters", { jsonrpc: "2.0", method: "ping", params: [] }],
    ["an answer", { jsonrpc: "2.0", id: 1, result: {} }],
    ["an error", { jsonrpc: "2.0", id: null, error: { code: 1, message: "" } }],
    ["a cancellation of nothing", { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 99 } }],
    ["a cancellation without id", { jsonrpc: "2.0", method: "notifications/cancelled" }],
  ])("never answers %s", async (_what, message) => {
    const { send, sent, ask, backend } = startSession("2025-11-25");
    send(message);
    await ask("ping");
    expect(sent).toHaveLength(1);
    expect(backend.seen).toEqual([]);
  });

  it("takes null for absent parameters", async () => {
    expect((await startSession("2025-11-25").ask("tools/list", null)).result.tools).toHaveLength(3);
  });

  it("tells 1 from the text 1, and refuses an id that is under way without answering it twice", async () => {
    const { send, sent, saw, backend } = startSession("2025-11-25");
    let finish = (_: unknown) => {};
    backend.tools.set("slow", () => new Promise((resolve) => (finish = resolve)));
    const call = (id: unknown) => send({ jsonrpc: "2.0", id, method: "tools/call", params: { name: "slow" } });
    call(1);
    call(1);
    expect(sent).toEqual([
      { jsonrpc: "2.0", id: null, error: expect.objectContaining({ code: InvalidRequest, data: { id: 1 } }) },
    ]);
    send({ jsonrpc: "2.0", id: "1", method: "ping" });
    send({ jsonrpc: "2.0", id: 1, method: "ping" });
    expect(sent.map((message) => message["id"])).toEqual([null, "1", null]);
    finish({ ok: true, value: { text: "done" } });
    await saw((message) => message["id"] === 1);
    send({ jsonrpc: "2.0", id: 1, method: "ping" });
    expect(sent.filter((message) => message["id"] === 1)).toHaveLength(2);
  });

  it("keeps parameters named __proto__ to themselves", async () => {
    const { session, saw, backend } = startSession("2025-11-25");
    session.receive('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"__proto__":{"name":"echo"}}}');
    expect((await saw((message) => message["id"] === 1))["error"].code).toBe(InvalidParams);
    session.receive('{"__proto__":{"jsonrpc":"2.0","method":"ping","id":5}}');
    expect((await saw((message) => message["id"] === null))["error"].code).toBe(InvalidRequest);
    session.receive(
      '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","arguments":{"__proto__":{"x":1}}}}',
    );
    const { result } = await saw((message) => message["id"] === 2);
    expect(result.content[0].text).toBe('{"__proto__":{"x":1}}');
    expect(Object.getPrototypeOf(backend.seen[0]?.input)).toBe(Object.prototype);
    expect(({} as { x?: number }).x).toBeUndefined();
  });
});

describe("batches", () => {
  const ping = (id: number) => ({ jsonrpc: "2.0", id, method: "ping" });

  it.each(["2024-11-05", "2025-06-18", "2025-11-25"])("are refused in %s", (version) => {
    const { send, sent } = startSession(version);
    send([ping(1), ping(2)]);
    expect(sent).toEqual([
      expect.objectContaining({ id: null, error: expect.objectContaining({ code: RpcCode.InvalidRequest }) }),
    ]);
  });

  it("are answered by one array, without the notifications and what was cancelled", async () => {
    const { send, saw, sent, backend } = startSession("2025-03-26");
    send([
      ping(1),
      { jsonrpc: "2.0", method: "notifications/x" },
      { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "echo", arguments: { a: 1 } } },
      { jsonrpc: "2.0", id: 3, method: "tools/call", params: { name: "waits" } },
      { jsonrpc: "2.0", id: 5, result: {} },
      [],
      1,
      { jsonrpc: "2.0", id: 4, method: "initialize", params: initializeParams("2025-03-26") },
    ]);
    expect(sent).toEqual([]);
    send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 3 } });
    const answers = (await saw(Array.isArray)) as unknown as { id: number | null; error?: { code: number } }[];
    expect(new Set(answers.map((answer) => answer.id))).toEqual(new Set([1, 2, 4, null]));
    expect(answers).toHaveLength(5);
    expect(answers.find((answer) => answer.id === 4)?.error?.code).toBe(RpcCode.InvalidRequest);
    expect(backend.seen[1]?.call.signal.aborted).toBe(true);
    expect(sent).toHaveLength(1);
  });

  it("are not answered at all when nothing in them is", async () => {
    const { send, sent, ask } = startSession("2025-03-26");
    send([{ jsonrpc: "2.0", method: "notifications/x" }]);
    await ask("ping");
    expect(sent).toHaveLength(1);
  });

  it("are refused when they are empty, too long, or come before the handshake", () => {
    const { send, sent } = startSession("2025-03-26", { limits: { maxBatch: 2 } });
    send([]);
    send([ping(1), ping(2), ping(3)]);
    expect(sent.map((message) => [message["id"], message["error"].code])).toEqual([
      [null, RpcCode.InvalidRequest],
      [null, RpcCode.InvalidRequest],
    ]);
    const fresh = startSession();
    fresh.send([{ jsonrpc: "2.0", id: 1, method: "initialize", params: initializeParams("2025-03-26") }]);
    expect(fresh.sent).toEqual([expect.objectContaining({ id: null })]);
    expect(fresh.session.sessionId).toBe("");
  });
});

describe("limits", () => {
  it("refuses a message that is too long or too deep, and names the limit", () => {
    const { session, sent } = startSession("2025-11-25", { limits: { maxMessageLength: 100_000, maxDepth: 8 } });
    session.receive(`"${"x".repeat(100_000)}"`);
    session.receive(`${"[".repeat(9)}${"]".repeat(9)}`);
    session.receive(`${"[".repeat(40_000)}${"]".repeat(40_000)}`);
    session.receive(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${"[".repeat(7)}${"]".repeat(7)}}}`);
    expect(sent.map((message) => message["error"].code)).toEqual(Array(4).fill(RpcCode.InvalidRequest));
    expect(sent[0]?.["error"].message).toContain("100000");
    expect(sent[1]?.["error"].message).toContain("8");
  });

  it("answers for a carrier that has limits of its own", () => {
    const { session, sent } = startSession();
    session.refuse("The line is too long");
    const error = { code: RpcCode.InvalidRequest, message: "Invalid request: The line is too long" };
    expect(sent).toEqual([{ jsonrpc: "2.0", id: null, error }]);
    session.close();
    session.refuse("Again");
    expect(sent).toHaveLength(1);
  });

  it("refuses one request too many, which may come again later", async () => {
    const { ask, send } = startSession("2025-11-25", { limits: { maxInFlight: 2 } });
    send({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "waits" } });
    send({ jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "waits" } });
    const { error } = await ask("tools/list");
    expect(error).toMatchObject({ code: RpcCode.InternalError, data: { code: "RESOURCE_EXHAUSTED", retryable: true } });
    expect((await ask("ping")).result).toEqual({});
    send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } });
    expect((await ask("tools/list")).result.tools).toHaveLength(3);
  });
});

describe("the end", () => {
  it("waits for what is under way", async () => {
    const { session, send, backend, sent } = startSession("2025-11-25");
    let finish = (_: unknown) => {};
    backend.tools.set("slow", () => new Promise((resolve) => (finish = resolve)));
    send({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "slow" } });
    let idle = false;
    const waiting = session.idle().then(() => (idle = true));
    await Promise.resolve();
    expect(idle).toBe(false);
    finish({ ok: true, value: {} });
    await waiting;
    expect(sent).toHaveLength(1);
    await session.idle();
  });

  it("cancels, lets go of the backend and says nothing any more", async () => {
    const { session, send, backend, sent } = startSession("2025-11-25");
    expect(backend.listeners()).toBe(2);
    send({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "waits" } });
    session.close();
    session.close();
    await session.idle();
    send({ jsonrpc: "2.0", id: 2, method: "ping" });
    expect(backend.seen[0]?.call.signal.aborted).toBe(true);
    expect(backend.listeners()).toBe(0);
    expect(sent).toEqual([]);
  });
});
