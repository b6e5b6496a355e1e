import { ErrorCode, HubError } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { startSession } from "../../test/harness.ts";
import { PROTOCOL_VERSIONS, RpcCode } from "../index.ts";

const { InvalidParams, InternalError, ResourceNotFound } = RpcCode;

describe("tools/list", () => {
  it("sorts, and gives every tool a schema", async () => {
    const { result } = await startSession("2025-11-25").ask("tools/list");
    expect(result.tools.map((tool: { name: string }) => tool.name)).toEqual(["alpha", "echo", "zeta"]);
    expect(result.tools[0]).toEqual({ name: "alpha", description: "First", inputSchema: { type: "object" } });
    expect(result.nextCursor).toBeUndefined();
  });

  it.each(PROTOCOL_VERSIONS)("says in %s what that version knows", async (version) => {
    const { result } = await startSession(version).ask("tools/list");
    const titled = version >= "2025-06-18";
    expect(result.tools[1]).toEqual({
      name: "echo",
      description: "Repeats",
      inputSchema: { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
      ...(titled ? { title: "Echo", outputSchema: { type: "object" } } : {}),
      ...(version >= "2025-03-26" ? { annotations: { readOnlyHint: true, ...(titled ? {} : { title: "Echo" }) } } : {}),
    });
  });

  it("walks through all pages, although the list changes on the way", async () => {
    const { ask, backend } = startSession("2025-11-25", { limits: { pageSize: 2 } });
    const names = ["e", "d", "c", "b", "a", "é ~%"];
    backend.listTools = async () => names.map((name) => ({ name }));
    const first = (await ask("tools/list")).result;
    expect(first.tools.map((tool: { name: string }) => tool.name)).toEqual(["a", "b"]);
    names.splice(names.indexOf("b"), 1);
    const second = (await ask("tools/list", { cursor: first.nextCursor })).result;
    expect(second.tools.map((tool: { name: string }) => tool.name)).toEqual(["c", "d"]);
    const third = (await ask("tools/list", { cursor: second.nextCursor })).result;
    expect(third.tools.map((tool: { name: string }) => tool.name)).toEqual(["e", "é ~%"]);
    expect(third.nextCursor).toBeUndefined();
  });

  it.each(["", "x", "tools", "prompts~a", "tools~%", "tools~%61", 1, {}])("refuses the cursor %j", async (cursor) => {
    const { error } = await startSession("2025-11-25").ask("tools/list", { cursor });
    expect(error.code).toBe(InvalidParams);
  });

  it("shows a name once", async () => {
    const { ask, backend } = startSession("2025-11-25");
    backend.listTools = async () => [
      { name: "a", description: "1" },
      { name: "a", description: "2" },
    ];
    expect((await ask("tools/list")).result.tools).toEqual([
      { name: "a", description: "1", inputSchema: { type: "object" } },
    ]);
  });

  it("answers what the backend's failure says", async () => {
    const { ask, backend } = startSession("2025-11-25");
    backend.listTools = () => Promise.reject(new HubError(ErrorCode.Unavailable, "The hub is not there"));
    expect((await ask("tools/list")).error).toEqual({
      code: InternalError,
      message: "The hub is not there",
      data: { code: "UNAVAILABLE", retryable: true },
    });
  });
});

describe("tools/call", () => {
  it.each([
    ["no parameters", undefined],
    ["no name", {}],
    ["an empty name", { name: "" }],
    ["a name that is no text", { name: 1 }],
    ["arguments that are a list", { name: "echo", arguments: [] }],
    ["arguments that are text", { name: "echo", arguments: "a" }],
    ["meta that is text", { name: "echo", _meta: "x" }],
    ["a token that is an object", { name: "echo", _meta: { progressToken: {} } }],
    ["a tool that nobody has", { name: "nobody" }],
    ["a tool named like a member of every object", { name: "toString" }],
  ])("refuses %s", async (_what, params) => {
    const { error } = await startSession("2025-11-25").ask("tools/call", params);
    expect(error.code).toBe(InvalidParams);
  });

  it("names an unknown tool", async () => {
    const { error } = await startSession("2025-11-25").ask("tools/call", { name: "nobody" });
    expect(error.message).toBe("Unknown tool: nobody");
  });

  it("passes the input, the session and the request on", async () => {
    const { ask, backend } = startSession("2025-11-25");
    const { result } = await ask("tools/call", { name: "echo", arguments: { a: [1, null, "é"] } });
    expect(result).toEqual({ content: [{ type: "text", text: '{"a":[1,null,"é"]}' }] });
    expect(backend.seen[0]).toMatchObject({
      call: { sessionId: "session-1", requestId: "ask-1", onProgress: undefined },
    });
    await ask("tools/call", { name: "echo", arguments: null });
    expect(backend.seen[1]?.input).toEqual({});
  });

  it.each(PROTOCOL_VERSIONS)("puts data beside the text where %s allows it", async (version) => {
    const { result } = await startSession(version).ask("tools/call", { name: "data" });
    expect(result.content).toEqual([{ type: "text", text: "two" }]);
    const structured = version >= "2025-06-18" ? { text: "two", count: 2 } : undefined;
    expect(result.structuredContent).toEqual(structured);
  });

  it.each([
    ["text alone", { text: "a" }, false, [{ type: "text", text: "a" }], undefined],
    ["text alone, which was promised", { text: "a" }, true, [{ type: "text", text: "a" }], { text: "a" }],
    ["text that is no text", { text: 1 }, false, [{ type: "text", text: "" }], undefined],
    ["nothing", {}, false, [{ type: "text", text: "{}" }], undefined],
    ["data", { n: 1 }, false, [{ type: "text", text: '{"n":1}' }], { n: 1 }],
    ["data with hints for a screen", { text: "a", _ui: {} }, false, [{ type: "text", text: "a" }], undefined],
    [
      "ready content",
      { content: [{ type: "image", data: "AAAA", mimeType: "image/png" }] },
      false,
      [{ type: "image", data: "AAAA", mimeType: "image/png" }],
      undefined,
    ],
    [
      "a list that is no content",
      { content: [1] },
      false,
      [{ type: "text", text: '{"content":[1]}' }],
      { content: [1] },
    ],
  ])("writes %s", async (_what, value, promised, content, structuredContent) => {
    const { ask, backend } = startSession("2025-11-25");
    backend.tools.set("t", () => ({ ok: true, value, promised }));
    const { result } = await ask("tools/call", { name: "t" });
    expect(result).toEqual({ content, ...(structuredContent === undefined ? {} : { structuredContent }) });
  });

  it("writes content that an old version does not know as text", async () => {
    const audio = { type: "audio", data: "AAAA", mimeType: "audio/wav" };
    const link = { type: "resource_link", uri: "orchestra://a", name: "a" };
    for (const version of PROTOCOL_VERSIONS) {
      const { ask, backend } = startSession(version);
      backend.tools.set("t", () => ({ ok: true, value: { content: [audio, link] } }));
      const types = (await ask("tools/call", { name: "t" })).result.content.map(
        (block: { type: string }) => block.type,
      );
      expect(types).toEqual([
        version >= "2025-03-26" ? "audio" : "text",
        version >= "2025-06-18" ? "resource_link" : "text",
      ]);
    }
  });

  it("shows the model what it can act upon, and the client what it cannot", async () => {
    const { ask, backend } = startSession("2025-11-25");
    const failure = (text: string) => ({ content: [{ type: "text", text }], isError: true });
    expect((await ask("tools/call", { name: "fails" })).result).toEqual(failure("The gate is closed"));
    expect((await ask("tools/call", { name: "silent" })).result).toEqual(failure("tool error: handler_error"));
    const throwing = (reason: unknown) => backend.tools.set("t", () => Promise.reject(reason));
    throwing(new HubError(ErrorCode.InvalidArgument, "a: must be text"));
    expect((await ask("tools/call", { name: "t" })).result).toEqual(failure("a: must be text"));
    throwing(new HubError(ErrorCode.DeadlineExceeded, "Too late"));
    expect((await ask("tools/call", { name: "t" })).error).toEqual({
      code: InternalError,
      message: "Too late",
      data: { code: "DEADLINE_EXCEEDED", retryable: false },
    });
  });

  it("keeps a bug's text out of the answer and in the log", async () => {
    const lines: string[] = [];
    const { ask, backend } = startSession("2025-11-25", { log: (level, message) => lines.push(`${level} ${message}`) });
    backend.tools.set("t", () => Promise.reject(new TypeError("secret of the inside")));
    expect((await ask("tools/call", { name: "t" })).error).toEqual({ code: InternalError, message: "Internal error" });
    expect(lines.some((line) => line.startsWith("error tools/call failed: TypeError: secret"))).toBe(true);
    const endless: Record<string, unknown> = {};
    endless["self"] = endless;
    backend.tools.set("t", () => ({ ok: true, value: endless }));
    expect((await ask("tools/call", { name: "t" })).error).toEqual({ code: InternalError, message: "Internal error" });
  });
});

describe("prompts", () => {
  it("are listed with their arguments", async () => {
    const { result } = await startSession("2025-03-26").ask("prompts/list");
    const list = [{ name: "language", description: "Which", required: true }, { name: "free" }];
    expect(result).toEqual({ prompts: [{ name: "review", description: "Asks for a review", arguments: list }] });
    expect((await startSession("2025-06-18").ask("prompts/list")).result.prompts[0].title).toBe("Review");
  });

  it("are filled in", async () => {
    const { result } = await startSession("2025-11-25").ask("prompts/get", {
      name: "review",
      arguments: { language: "Go" },
    });
    expect(result).toEqual({
      description: "A review",
      messages: [{ role: "user", content: { type: "text", text: "Review Go" } }],
    });
  });

  it.each([
    ["no name", {}],
    ["an unknown name", { name: "nobody" }],
    ["an argument that is no text", { name: "review", arguments: { language: 1 } }],
    ["arguments that are a list", { name: "review", arguments: ["a"] }],
  ])("refuse %s", async (_what, params) => {
    expect((await startSession("2025-11-25").ask("prompts/get", params)).error.code).toBe(InvalidParams);
  });
});

describe("resources", () => {
  it("are listed, with dates where the version has them", async () => {
    const { result } = await startSession("2025-11-25").ask("resources/list");
    expect(result.resources).toEqual([
      {
        uri: "orchestra://app/features/FEAT-ABC",
        name: "FEAT-ABC",
        title: "Login",
        mimeType: "text/markdown",
        size: 12,
        annotations: { lastModified: "2026-01-02T00:00:00.000Z" },
      },
    ]);
    const old = (await startSession("2024-11-05").ask("resources/list")).result.resources[0];
    expect(old).toEqual({ uri: old.uri, name: "FEAT-ABC", mimeType: "text/markdown", size: 12 });
  });

  it("are an empty list, never null", async () => {
    const { ask, backend } = startSession("2025-11-25");
    backend.listResources = async () => [];
    expect((await ask("resources/list")).result).toEqual({ resources: [] });
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 8.64e15])("leave out the date %s", async (modifiedAtMs) => {
    const { ask, backend } = startSession("2025-11-25");
    backend.listResources = async () => [{ uri: "orchestra://a", name: "a", modifiedAtMs }];
    expect((await ask("resources/list")).result.resources).toEqual([{ uri: "orchestra://a", name: "a" }]);
  });

  it("are read", async () => {
    const uri = "orchestra://app/features/FEAT-ABC";
    const { result } = await startSession("2025-11-25").ask("resources/read", { uri });
    expect(result).toEqual({ contents: [{ uri, mimeType: "text/markdown", text: "# Login" }] });
  });

  it("that are missing have an error of their own", async () => {
    const uri = "orchestra://app/features/FEAT-XYZ";
    const { error } = await startSession("2025-11-25").ask("resources/read", { uri });
    expect(error).toEqual({ code: ResourceNotFound, message: "Resource not found", data: { uri } });
  });

  it.each([undefined, {}, { uri: 1 }, { uri: "" }])("refuse to be read by %j", async (params) => {
    expect((await startSession("2025-11-25").ask("resources/read", params)).error.code).toBe(InvalidParams);
  });

  it("have templates", async () => {
    const { result } = await startSession("2025-11-25").ask("resources/templates/list");
    expect(result.resourceTemplates).toEqual([
      { uriTemplate: "orchestra://{project}/features/{id}", name: "feature", mimeType: "text/markdown" },
    ]);
  });
});

describe("completion/complete", () => {
  const prompt = { type: "ref/prompt", name: "review" };
  const template = { type: "ref/resource", uri: "orchestra://{project}/features/{id}" };

  it.each([
    [
      "the beginning first, whatever its case",
      prompt,
      { name: "language", value: "t" },
      undefined,
      ["TypeScript", "Rust", "JavaScript"],
    ],
    [
      "everything for nothing typed",
      prompt,
      { name: "language", value: "" },
      undefined,
      ["TypeScript", "Rust", "JavaScript"],
    ],
    ["nothing for an argument without suggestions", prompt, { name: "free", value: "a" }, undefined, []],
    ["a variable of a template", template, { name: "project", value: "app" }, undefined, ["app", "web-app"]],
    ["a variable that depends on another", template, { name: "id", value: "" }, { project: "app" }, ["FEAT-app"]],
  ])("offers %s", async (_what, ref, argument, resolved, values) => {
    const params = { ref, argument, ...(resolved === undefined ? {} : { context: { arguments: resolved } }) };
    const { result } = await startSession("2025-11-25").ask("completion/complete", params);
    expect(result.completion).toEqual({ values, total: values.length, hasMore: false });
  });

  it("offers a hundred values at most", async () => {
    const { ask, backend } = startSession("2025-11-25");
    backend.completeTemplate = async () => Array.from({ length: 250 }, (_, i) => `v${i % 150}`);
    const { result } = await ask("completion/complete", { ref: template, argument: { name: "id", value: "" } });
    expect(result.completion.values).toHaveLength(100);
    expect(result.completion).toMatchObject({ total: 150, hasMore: true });
  });

  it.each([
    ["no reference", { argument: { name: "a", value: "" } }],
    ["no argument", { ref: prompt }],
    ["an argument without value", { ref: prompt, argument: { name: "language" } }],
    ["an unknown kind", { ref: { type: "ref/x", name: "a" }, argument: { name: "a", value: "" } }],
    ["an unknown prompt", { ref: { type: "ref/prompt", name: "x" }, argument: { name: "a", value: "" } }],
    ["an unknown argument", { ref: prompt, argument: { name: "x", value: "" } }],
    ["an unknown template", { ref: { type: "ref/resource", uri: "x" }, argument: { name: "a", value: "" } }],
    ["an unknown variable", { ref: template, argument: { name: "x", value: "" } }],
    [
      "context that is no text",
      { ref: template, argument: { name: "id", value: "" }, context: { arguments: { a: 1 } } },
    ],
  ])("refuses %s", async (_what, params) => {
    expect((await startSession("2025-11-25").ask("completion/complete", params)).error.code).toBe(InvalidParams);
  });
});
