import { ErrorCode, PromptDefinition } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { TestClient } from "../../test/client.ts";
import { FakeHub } from "../../test/fake-hub.ts";

describe("tools", () => {
  it("carry what the hub knows of them", async () => {
    await using client = new TestClient();
    const inputSchema = { type: "object", properties: { a: { type: "string" } } };
    client.hub.addTool("b", () => ({}));
    client.hub.addTool("a", () => ({}), { title: "A", inputSchema, annotations: { readOnlyHint: true } });
    await client.initialize();
    const { result } = await client.ask("tools/list");
    expect(result.tools).toEqual([
      { name: "a", title: "A", description: "The tool a", inputSchema, annotations: { readOnlyHint: true } },
      { name: "b", description: "The tool b", inputSchema: { type: "object" } },
    ]);
  });

  it("are called under the session, with a deadline", async () => {
    await using client = new TestClient({ callTimeoutMs: 1234 });
    client.hub.addTool("echo", (args) => ({ text: JSON.stringify(args) }));
    const { result } = await client.initialize();
    const id = client.request("tools/call", { name: "echo", arguments: { n: 1, deep: [{ x: null }] } }, 77);
    const answer = await client.saw((message) => message["id"] === id);
    expect(answer["result"]).toEqual({ content: [{ type: "text", text: '{"n":1,"deep":[{"x":null}]}' }] });
    const [request] = await client.hub.saw("toolCall");
    expect(request).toMatchObject({
      requestId: "stdio-tc-77",
      context: { timeoutMs: 1234, acceptsCalls: true, wantsProgress: false },
    });
    expect(request?.request?.value).toMatchObject({
      sessionId: result._sessionId,
      callerPlugin: "transport.stdio",
      provider: "",
    });
  });

  it("answer what they promised as structured content", async () => {
    await using client = new TestClient();
    client.hub.addTool("sum", () => ({ text: "3", sum: 3 }));
    client.hub.addTool("plain", () => ({ text: "3" }), { outputSchema: { type: "object" } });
    await client.initialize();
    expect((await client.call("sum")).result).toEqual({
      content: [{ type: "text", text: "3" }],
      structuredContent: { text: "3", sum: 3 },
    });
    expect((await client.call("plain")).result.structuredContent).toEqual({ text: "3" });
  });

  it("fail in words for the model", async () => {
    await using client = new TestClient();
    client.hub.addTool("gate", () => Promise.reject(new Error("gate_blocked: The gate is closed")));
    client.hub.addTool("mute", () => Promise.reject(new Error("odd_code")));
    client.hub.addTool("lost", () => Promise.reject(new Error("tool_not_found: The record is gone")));
    await client.initialize();
    const text = async (name: string) => (await client.call(name)).result;
    expect(await text("gate")).toEqual({ content: [{ type: "text", text: "The gate is closed" }], isError: true });
    expect(await text("mute")).toEqual({ content: [{ type: "text", text: "tool error: odd_code" }], isError: true });
    // A tool that uses the hub's own code for its own purposes is not taken for one that nobody has.
    expect(await text("lost")).toEqual({ content: [{ type: "text", text: "The record is gone" }], isError: true });
  });

  it.each([false, true])("that nobody has are invalid parameters (old hub: %s)", async (legacy) => {
    await using client = new TestClient();
    client.hub.legacy = legacy;
    await client.initialize();
    expect((await client.call("nobody")).error).toEqual({ code: -32602, message: "Unknown tool: nobody" });
  });

  it("tell how far they are, when the client wants to know", async () => {
    await using client = new TestClient();
    client.hub.addTool("works", async (_args, { progress }) => {
      progress(1, 3, "one");
      progress(2, 3, "two");
      return { text: "done" };
    });
    await client.initialize();
    const { result } = await client.call("works", {}, { progressToken: "p" });
    expect(result.content[0].text).toBe("done");
    const heard = client.messages.filter((message) => message["method"] === "notifications/progress");
    expect(heard.map((message) => message["params"])).toEqual([
      { progressToken: "p", progress: 1, total: 3, message: "one" },
      { progressToken: "p", progress: 2, total: 3, message: "two" },
    ]);
    expect((await client.hub.saw("toolCall"))[0]?.context?.wantsProgress).toBe(true);
  });

  it("are cancelled on the hub when the client cancels", async () => {
    await using client = new TestClient();
    const cancelled = Promise.withResolvers<void>();
    client.hub.addTool("waits", (_args, { incoming }) => {
      incoming.signal.addEventListener("abort", () => cancelled.resolve());
      return new Promise(() => {});
    });
    await client.initialize();
    client.request("tools/call", { name: "waits" }, "w");
    await client.hub.saw("toolCall");
    client.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "w", reason: "enough" } });
    await cancelled.promise;
    await client.ask("ping");
    expect(client.messages.some((message) => message["id"] === "w")).toBe(false);
  });

  it("run side by side", async () => {
    await using client = new TestClient();
    const all = Promise.withResolvers<void>();
    let running = 0;
    client.hub.addTool("meets", async () => {
      if (++running === 20) all.resolve();
      await all.promise;
      return { text: "met" };
    });
    await client.initialize();
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.call("meets")));
    expect(answers.every((answer) => answer["result"].content[0].text === "met")).toBe(true);
  });

  it("may use every key, also odd ones, and no more depth than plugins can read", async () => {
    await using client = new TestClient();
    client.hub.addTool("echo", (args) => ({ keys: Object.keys(args) }));
    await client.initialize();
    client.write(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"__proto__":{"a":1},"constructor":1,"":2}}}\n',
    );
    const { result } = await client.saw((message) => message["id"] === 1);
    expect(result.structuredContent.keys).toEqual(expect.arrayContaining(["constructor", ""]));
    let deep: unknown = 1;
    for (let i = 0; i < 29; i++) deep = { deep };
    expect((await client.call("echo", deep)).result.structuredContent.keys).toEqual(["deep"]);
    for (let i = 0; i < 4; i++) deep = { deep };
    client.request("tools/call", { name: "echo", arguments: deep });
    expect((await client.saw((message) => message["id"] === null))["error"].code).toBe(-32600);
  });
});

describe("prompts", () => {
  it("are listed, filled in and completed", async () => {
    await using client = new TestClient();
    const language = { name: "language", required: true, suggestions: ["TypeScript", "Rust"] };
    client.hub.prompts.push(
      PromptDefinition.fromPartial({ name: "review", description: "Reviews", arguments: [language] }),
    );
    await client.initialize();
    expect((await client.ask("prompts/list")).result.prompts).toEqual([
      { name: "review", description: "Reviews", arguments: [{ name: "language", description: "", required: true }] },
    ]);
    const { result } = await client.ask("prompts/get", { name: "review", arguments: { language: "Go" } });
    expect(result.messages).toEqual([{ role: "user", content: { type: "text", text: 'review {"language":"Go"}' } }]);
    const ref = { type: "ref/prompt", name: "review" };
    const completion = await client.ask("completion/complete", { ref, argument: { name: "language", value: "r" } });
    expect(completion["result"].completion.values).toEqual(["Rust", "TypeScript"]);
    expect((await client.ask("prompts/get", { name: "nobody" })).error).toMatchObject({
      code: -32602,
      message: "No prompt nobody",
    });
  });
});

describe("what the hub tells", () => {
  it("becomes list changes and log messages", async () => {
    await using client = new TestClient();
    await client.initialize();
    await client.hub.saw("subscribe", 2);
    client.hub.addTool("new", () => ({}));
    await client.hub.publish("orchestrator.capabilities", "changed");
    await client.notified("notifications/tools/list_changed");
    await client.notified("notifications/prompts/list_changed");
    await client.notified("notifications/resources/list_changed");
    expect((await client.ask("tools/list")).result.tools).toHaveLength(1);
    await client.hub.publish("orchestrator.plugins", "ready", { plugin: "a" });
    await client.hub.publish("orchestrator.plugins", "backoff", { plugin: "a", state: "backoff" });
    const { params } = await client.notified("notifications/message");
    const data = { message: 'Plugin "a" is backoff', plugin: "a", state: "backoff" };
    expect(params).toEqual({ level: "warning", logger: "hub", data });
  });

  it("is all that it may ask", async () => {
    await using client = new TestClient();
    await client.initialize();
    const [peer] = client.hub.links;
    const { PluginRequest, PluginResponse } = await import("@orchestrator/protocol");
    const request = PluginRequest.encode(
      PluginRequest.fromPartial({ requestId: "x", request: { $case: "shutdown", value: {} } }),
    );
    const answer = PluginResponse.decode(await peer!.call(request.finish()));
    expect(answer).toMatchObject({ requestId: "x", response: { $case: "toolCall", value: { success: false } } });
    await expect(peer!.call(new Uint8Array([0xff]))).rejects.toMatchObject({ code: ErrorCode.Cancelled });
  });
});

describe("a peer that is no hub", () => {
  it("is refused, although its certificate is good", async () => {
    const hub = new FakeHub();
    await using client = new TestClient({ hub, connect: hub.connect("tools.evil") });
    await expect(client.ended).rejects.toMatchObject({ code: ErrorCode.Unauthenticated });
  });
});
