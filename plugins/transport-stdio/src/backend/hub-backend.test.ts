import { ErrorCode, HubError, PromptDefinition } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { TestClient } from "../../test/client.ts";
import { FakeHub } from "../../test/fake-hub.ts";

async function* pieces(...all: (string | Uint8Array)[]) {
  yield* all;
}

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

describe("streaming tools", () => {
  it.each([
    ["which the hub marks", "streams", { streaming: true }],
    ["which an old plugin does not mark", "old-streams", {}],
  ])("%s send pieces as progress and the whole as the result", async (_what, name, definition) => {
    await using client = new TestClient();
    const e = new TextEncoder().encode("é");
    client.hub.addTool(name, () => pieces("one ", e.subarray(0, 1), e.subarray(1), " two"), definition);
    await client.initialize();
    const { result } = await client.call(name, { a: 1 }, { progressToken: 1 });
    expect(result).toEqual({ content: [{ type: "text", text: "one é two" }] });
    const heard = client.messages.filter((message) => message["method"] === "notifications/progress");
    expect(heard.map(({ params }) => [params.progress, params.message])).toEqual([
      [1, "one "],
      [2, undefined],
      [3, "é"],
      [4, " two"],
    ]);
    const [request] = await client.hub.saw("streamStart");
    expect(request?.request?.value).toMatchObject({ toolName: name, arguments: { a: 1 } });
    await client.call(name);
    expect((await client.hub.saw("streamStart")).length).toBe(2);
    expect(client.hub.requests.filter((each) => each.request?.$case === "toolCall").length).toBe(
      name === "streams" ? 0 : 1,
    );
  });

  it("say what they said before they failed", async () => {
    await using client = new TestClient();
    client.hub.addTool(
      "breaks",
      async function* () {
        yield "so far";
        throw new Error("out of paper");
      },
      { streaming: true },
    );
    await client.initialize();
    const { result } = await client.call("breaks");
    expect(result).toEqual({ content: [{ type: "text", text: "so far\nout of paper" }], isError: true });
  });

  it("are cancelled, and stopped when they say too much", async () => {
    await using client = new TestClient();
    const stopped: string[] = [];
    const both = Promise.withResolvers<void>();
    const endless = (name: string, piece: string) =>
      client.hub.addTool(
        name,
        (_args, { incoming }) => {
          incoming.signal.addEventListener("abort", () => {
            if (stopped.push(name) === 2) both.resolve();
          });
          return (async function* () {
            while (!incoming.signal.aborted) {
              yield piece;
              await new Promise((resolve) => setImmediate(resolve));
            }
          })();
        },
        { streaming: true },
      );
    endless("drips", ".");
    endless("floods", "x".repeat(1 << 20));
    await client.initialize();
    client.request("tools/call", { name: "drips" }, "d");
    const { error } = await client.call("floods");
    expect(error).toMatchObject({ code: -32603, data: { code: "RESOURCE_EXHAUSTED" } });
    client.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "d" } });
    await both.promise;
    expect(stopped).toEqual(["floods", "drips"]);
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

describe("resources", () => {
  async function withDocuments() {
    const client = new TestClient();
    client.hub.write("app/project.json", "", { slug: "app" });
    client.hub.write("fresh/project.json", "", { slug: "fresh" });
    client.hub.write("app/features/FEAT-ABC.md", "# Login\n", {
      title: 'Log "in"',
      labels: ["a"],
      status: "done",
      "odd key": 1,
    });
    client.hub.write("app/features/FEAT-DEF.md", "plain");
    client.hub.write("app/plans/PLAN-ABC.md", "# Plan\n");
    client.hub.write("web/features/FEAT-XYZ.md", "");
    client.hub.write("docs/guide.md", "# Guide\n");
    await client.initialize();
    return client;
  }

  it("are the documents of all projects", async () => {
    await using client = await withDocuments();
    const { result } = await client.ask("resources/list");
    expect(result.resources.map((resource: { uri: string }) => resource.uri)).toEqual([
      "orchestra://app/features/FEAT-ABC",
      "orchestra://app/features/FEAT-DEF",
      "orchestra://app/plans/PLAN-ABC",
      "orchestra://docs/guide",
      "orchestra://web/features/FEAT-XYZ",
    ]);
    expect(result.resources[0]).toEqual({
      uri: "orchestra://app/features/FEAT-ABC",
      name: "FEAT-ABC",
      title: "app / features / FEAT-ABC",
      mimeType: "text/markdown",
      size: 8,
      annotations: { lastModified: "2026-01-02T00:00:00.500Z" },
    });
  });

  it("are read with their front matter, also under the short names of old", async () => {
    await using client = await withDocuments();
    const read = async (uri: string) => (await client.ask("resources/read", { uri })).result.contents[0].text;
    expect(await read("orchestra://app/features/FEAT-ABC")).toBe(
      '---\nlabels: ["a"]\n"odd key": 1\nstatus: "done"\ntitle: "Log \\"in\\""\n---\n\n# Login\n',
    );
    expect(await read("orchestra://app/features/FEAT-DEF")).toBe("plain");
    expect(await read("orchestra://docs/guide")).toBe("# Guide\n");
    expect(await read("orchestra://web/features/FEAT-XYZ")).toBe("");
  });

  it("that are no text go out as bytes", async () => {
    await using client = await withDocuments();
    client.hub.documents.set("app/docs/blob.md", { content: new Uint8Array([0xff, 0xfe]) });
    const { result } = await client.ask("resources/read", { uri: "orchestra://app/docs/blob" });
    expect(result.contents).toEqual([
      { uri: "orchestra://app/docs/blob", mimeType: "application/octet-stream", blob: "//4=" },
    ]);
  });

  it.each([false, true])("that are missing are not found (old hub: %s)", async (legacy) => {
    await using client = await withDocuments();
    client.hub.legacy = legacy;
    const uri = "orchestra://app/features/FEAT-NOT";
    expect((await client.ask("resources/read", { uri })).error).toMatchObject({ code: -32002, data: { uri } });
    expect((await client.ask("resources/read", { uri: "orchestra://app/../x" })).error.code).toBe(-32602);
  });

  it("of a storage that is dead are not an empty list", async () => {
    await using client = await withDocuments();
    client.hub.storageError = new HubError(ErrorCode.Unavailable, "The storage is gone");
    const error = { code: -32603, message: "The storage is gone", data: { code: "UNAVAILABLE", retryable: true } };
    expect((await client.ask("resources/list")).error).toEqual(error);
    expect((await client.ask("resources/read", { uri: "orchestra://app/features/FEAT-ABC" })).error).toEqual(error);
  });

  it.each([
    ["orchestra://{project}/features/{id}", "project", {}, ["app", "fresh", "web"]],
    ["orchestra://{project}/features/{id}", "id", {}, ["FEAT-ABC", "FEAT-DEF", "FEAT-XYZ"]],
    ["orchestra://{project}/features/{id}", "id", { project: "app" }, ["FEAT-ABC", "FEAT-DEF"]],
    ["orchestra://{project}/plans/{id}", "id", { project: "web" }, []],
    ["orchestra://{project}/{kind}/{id}", "kind", { project: "app" }, ["features", "plans"]],
    ["orchestra://{project}/{kind}/{id}", "id", { project: "app", kind: "plans" }, ["PLAN-ABC"]],
  ])("complete %s by %s given %j", async (uri, name, resolved, values) => {
    await using client = await withDocuments();
    const { result: templates } = await client.ask("resources/templates/list");
    expect(templates.resourceTemplates.map((template: { uriTemplate: string }) => template.uriTemplate)).toContain(uri);
    const params = {
      ref: { type: "ref/resource", uri },
      argument: { name, value: "" },
      context: { arguments: resolved },
    };
    expect((await client.ask("completion/complete", params)).result.completion.values).toEqual(values);
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
