import { ErrorCode, HubError, type PluginRequest, type PluginResponse, toWireError } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { type RawHost, rawHost, toolCall } from "../../test/support/raw-host.ts";
import { tool } from "../definition.ts";
import { isToolFailure } from "../hub-client.ts";

const definition = { id: "caller", version: "1.0.0" };
type Answer = (request: PluginRequest) => Partial<PluginResponse> | "silence" | undefined;

function hubOf(answer: Answer): RawHost["runtime"]["hub"] {
  return rawHost(definition, { answer }).runtime.hub;
}

function toolAnswer(value: Partial<{ success: boolean; result: object; errorCode: string; errorMessage: string }>) {
  const full = { success: false, result: undefined, errorCode: "", errorMessage: "", ...value };
  return { response: { $case: "toolCall" as const, value: full } };
}

async function failure(promise: Promise<unknown>): Promise<HubError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof HubError)) throw new Error(`Expected a HubError, not ${String(error)}`);
  return error;
}

describe("callTool", () => {
  it("sends what it was asked to, and who asks, to peers of any age", async () => {
    const host = rawHost(definition, { answer: () => toolAnswer({ success: true, result: { text: "ok" } }) });
    const result = await host.runtime.hub.callTool("t", { a: [1, "x", null] }, { provider: "claude", sessionId: "S" });
    expect(result).toEqual({ text: "ok" });
    const { request, requestId, context } = await host.request("toolCall");
    expect(request?.value).toMatchObject({
      toolName: "t",
      arguments: { a: [1, "x", null] },
      callerPlugin: "caller",
      provider: "claude",
      sessionId: "S",
    });
    expect(requestId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(context?.timeoutMs).toBeGreaterThan(29_000);
    expect(context?.timeoutMs).toBeLessThanOrEqual(30_000);
  });

  it.each([
    ["tool_not_found", ErrorCode.NotFound, false],
    ["routing_error", ErrorCode.Unavailable, false],
    ["invalid_response", ErrorCode.Protocol, false],
    ["unknown_request", ErrorCode.Unimplemented, false],
    ["handler_error", ErrorCode.Internal, true],
    ["validation_error", ErrorCode.InvalidArgument, true],
    ["not_found", ErrorCode.NotFound, true],
    ["gate_closed", ErrorCode.Internal, true],
    ["", ErrorCode.Internal, true],
  ])("reads the old code %s as %s", async (errorCode, code, isOwn) => {
    const error = await failure(hubOf(() => toolAnswer({ errorCode, errorMessage: "why" })).callTool("t"));
    expect(error).toMatchObject({ code, message: "why" });
    expect(isToolFailure(error)).toEqual(isOwn ? { errorCode, errorMessage: "why" } : undefined);
  });

  it("believes the error field where there is one", async () => {
    const sent = toWireError(new HubError(ErrorCode.ResourceExhausted, "full"));
    const both = hubOf(() => ({ ...toolAnswer({ errorCode: "handler_error", errorMessage: "full" }), error: sent }));
    const error = await failure(both.callTool("t"));
    expect(error.code).toBe(ErrorCode.ResourceExhausted);
    expect(isToolFailure(error)?.errorCode).toBe("handler_error");
    expect(await failure(hubOf(() => ({ error: sent })).callTool("t"))).toMatchObject({ message: "full" });
  });

  it("calls an answer of another kind what it is", async () => {
    const wrong = { response: { $case: "shutdown" as const, value: { clean: true } } };
    expect(await failure(hubOf(() => wrong).callTool("t"))).toMatchObject({ code: ErrorCode.Protocol });
    expect(await failure(hubOf(() => undefined).callTool("t"))).toMatchObject({ code: ErrorCode.Protocol });
  });

  it("gives up at its deadline, and tells the hub", async () => {
    const host = rawHost(definition, { answer: silentOn("toolCall") });
    const error = await failure(host.runtime.hub.callTool("t", {}, { timeoutMs: 20 }));
    expect(error.code).toBe(ErrorCode.DeadlineExceeded);
    expect(host.cancelled).toBe(1);
  });

  it("gives up when its signal aborts, also before it began", async () => {
    const host = rawHost(definition, { answer: silentOn("toolCall") });
    const controller = new AbortController();
    const pending = failure(host.runtime.hub.callTool("t", {}, { signal: controller.signal }));
    await host.request("toolCall");
    controller.abort();
    expect((await pending).code).toBe(ErrorCode.Cancelled);
    expect(host.cancelled).toBe(1);
    expect((await failure(host.runtime.hub.callTool("t", {}, { signal: AbortSignal.abort() }))).code).toBe(
      ErrorCode.Cancelled,
    );
  });

  it("refuses input that cannot travel, before anything is sent", async () => {
    const host = rawHost(definition);
    const error = await failure(host.runtime.hub.callTool("t", { when: 1n } as never));
    expect(error.message).toBe('The input of tool "t" at "when" is a bigint, which JSON cannot hold');
    expect(host.asked.some(({ request }) => request?.$case === "toolCall")).toBe(false);
  });
});

describe("a call made while another one is served", () => {
  const relay = tool({
    description: "Relays",
    run: (_input, { hub }) => hub.callTool("inner", {}, { timeoutMs: 60_000 }),
  });
  const relaying = { ...definition, tools: { relay } };
  const context = { timeoutMs: 5_000, traceParent: "00-11111111111111111111111111111111-2222222222222222-01" };

  it("carries what is left of the deadline, the trace and the session", async () => {
    const host = rawHost(relaying, { answer: () => toolAnswer({ success: true }) });
    await host.ask(toolCall("relay", {}, { sessionId: "S" }), { context });
    const inner = await host.request("toolCall");
    expect(inner.context?.timeoutMs).toBeLessThanOrEqual(5_000);
    expect(inner.context?.timeoutMs).toBeGreaterThan(4_000);
    expect(inner.context?.traceParent).toBe(context.traceParent);
    expect(inner.request?.value).toMatchObject({ traceParent: context.traceParent, sessionId: "S" });
  });

  it("is cancelled with it", async () => {
    const host = rawHost(relaying, { answer: silentOn("toolCall") });
    const outer = host.open(toolCall("relay"));
    await host.request("toolCall");
    host.link.cancel(outer.id);
    await host.runtime.server.idle();
    await host.cancellation();
    expect(host.cancelled).toBe(1);
  });
});

describe("other calls", () => {
  it("reads tools, prompts and health", async () => {
    const hub = hubOf(({ request }) => {
      if (request?.$case === "listTools") {
        const one = {
          name: "a",
          description: "A",
          inputSchema: { type: "object" },
          streaming: true,
          title: "",
          outputSchema: undefined,
          annotations: undefined,
        };
        return { response: { $case: "listTools", value: { tools: [one] } } };
      }
      if (request?.$case === "health") {
        return { response: { $case: "health", value: { status: 2, message: "so so", details: { a: "b" } } } };
      }
      if (request?.$case !== "promptGet") return undefined;
      const messages = [{ role: "user", content: { type: "text", text: "hi" } }];
      const isKnown = request.value.promptName === "known";
      const value = { description: isKnown ? "d" : "prompt not found: x", messages: isKnown ? messages : [] };
      return { response: { $case: "promptGet", value } };
    });
    expect(await hub.listTools()).toEqual([expect.objectContaining({ name: "a", streaming: true })]);
    expect(await hub.health()).toEqual({ status: "degraded", message: "so so", details: { a: "b" } });
    expect(await hub.getPrompt("known")).toEqual({
      description: "d",
      messages: [{ role: "user", type: "text", text: "hi" }],
    });
    expect(await failure(hub.getPrompt("x"))).toMatchObject({
      code: ErrorCode.NotFound,
      message: "prompt not found: x",
    });
  });

  it("publishes", async () => {
    const host = rawHost(definition);
    await host.runtime.hub.publish("news", "made", { n: 1 });
    expect((await host.request("publish")).request?.value).toMatchObject({
      topic: "news",
      eventType: "made",
      payload: { n: 1 },
      sourcePlugin: "caller",
    });
  });
});

describe("streamTool", () => {
  const chunk = (sequence: number, text: string) =>
    ({
      $case: "streamChunk",
      value: { streamId: "s", data: new TextEncoder().encode(text), contentType: "", sequence },
    }) as const;
  const end = (value: object) =>
    ({
      $case: "streamEnd",
      value: { streamId: "s", success: true, errorCode: "", errorMessage: "", totalChunks: 0, ...value },
    }) as const;

  function streaming(messages: PluginResponse["response"][]): RawHost {
    return rawHost(definition, {
      answer: silentOn("streamStart"),
      replies: ({ request }) => (request?.$case === "streamStart" ? messages : undefined),
    });
  }
  async function collect(stream: AsyncIterable<Uint8Array>): Promise<string[]> {
    const pieces: string[] = [];
    for await (const piece of stream) pieces.push(new TextDecoder().decode(piece));
    return pieces;
  }

  it("yields the pieces in order", async () => {
    const { hub } = streaming([chunk(0, "a"), chunk(1, "b"), end({})]).runtime;
    expect(await collect(hub.streamTool("t", { n: 1 }))).toEqual(["a", "b"]);
  });

  it("fails with what the tool reports, after the pieces that came", async () => {
    const { hub } = streaming([
      chunk(0, "a"),
      end({ success: false, errorCode: "handler_error", errorMessage: "broke" }),
    ]).runtime;
    const seen: number[] = [];
    const error = await failure(
      (async () => {
        for await (const piece of hub.streamTool("t")) seen.push(piece.length);
      })(),
    );
    expect(seen).toEqual([1]);
    expect(error.message).toBe("broke");
    expect(isToolFailure(error)?.errorCode).toBe("handler_error");
  });

  it("fails where the stream stops without its end", async () => {
    const { hub } = streaming([chunk(0, "a"), chunk(1, "b")]).runtime;
    expect((await failure(collect(hub.streamTool("t")))).code).toBe(ErrorCode.Protocol);
  });

  it("fails where the hub does not stream", async () => {
    const { hub } = streaming([toolAnswer({ errorCode: "unknown_request", errorMessage: "no" }).response]).runtime;
    expect((await failure(collect(hub.streamTool("t")))).code).toBe(ErrorCode.Unimplemented);
  });

  it("cancels the tool when the loop is left", async () => {
    const host = streaming([chunk(0, "a"), chunk(1, "b"), undefined]);
    for await (const piece of host.runtime.hub.streamTool("t")) {
      expect(piece.length).toBe(1);
      break;
    }
    await host.cancellation();
    expect(host.cancelled).toBe(1);
  });
});

describe("storage", () => {
  const write = (value: object) => ({
    response: { $case: "storageWrite" as const, value: { success: false, newVersion: 0, error: "", ...value } },
  });

  it("tells what is not there from what cannot be read", async () => {
    const nothing = { content: new Uint8Array(), metadata: undefined, version: 0 };
    const absent = hubOf(() => ({ response: { $case: "storageRead", value: nothing } }));
    expect(await absent.storage().read("a")).toBeUndefined();
    const broken = hubOf(() => ({
      response: { $case: "storageRead", value: nothing },
      error: toWireError(new HubError(ErrorCode.Unavailable, "storage plugin is away")),
    }));
    expect((await failure(broken.storage().read("a"))).code).toBe(ErrorCode.Unavailable);
    const empty = hubOf(() => ({ response: { $case: "storageRead", value: { ...nothing, metadata: {} } } }));
    expect(await empty.storage().read("a")).toEqual({ ...nothing, metadata: {} });
  });

  it("writes, with -1 for whatever is there", async () => {
    const host = rawHost(definition, { answer: () => write({ success: true, newVersion: 4 }) });
    expect(await host.runtime.hub.storage("notes").write("a", "text", { metadata: { k: true } })).toBe(4);
    const { request } = await host.request("storageWrite");
    expect(request?.value).toMatchObject({
      path: "a",
      expectedVersion: -1,
      metadata: { k: true },
      storageType: "notes",
    });
  });

  it.each([
    ["file already exists (expected_version=0 means create new)", 0, ErrorCode.AlreadyExists],
    ["version conflict: expected 2, current 3", 2, ErrorCode.FailedPrecondition],
    ["version conflict: expected 0, current 3", 0, ErrorCode.AlreadyExists],
    ["disk on fire", -1, ErrorCode.Internal],
  ])("reads the refusal %j", async (error, expectedVersion, code) => {
    const hub = hubOf(() => write({ error }));
    const refused = await failure(hub.storage().write("a", "x", { expectedVersion }));
    expect(refused).toMatchObject({ code, message: error });
  });

  it("lists with times in milliseconds", async () => {
    const entry = { path: "a.md", size: 3, version: 1, modifiedAt: { seconds: 5, nanos: 6_000_000 } };
    const hub = hubOf(() => ({ response: { $case: "storageList", value: { entries: [entry] } } }));
    expect(await hub.storage().list("a")).toEqual([{ path: "a.md", size: 3, version: 1, modifiedAtMs: 5006 }]);
  });
});

describe("subscribe", () => {
  const event = (value: object) =>
    ({
      $case: "publish",
      value: {
        topic: "news",
        eventType: "made",
        payload: { k: "v" },
        sourcePlugin: "p",
        subscriptionId: "",
        timestamp: undefined,
        ...value,
      },
    }) as const;

  it("hears what matches topic and filters, until it is ended", async () => {
    const host = rawHost(definition);
    const heard: unknown[] = [];
    const unsubscribe = await host.runtime.hub.subscribe("news", ({ type }) => heard.push(type), { k: "v" });
    const { request } = await host.request("subscribe");
    expect(request?.value).toMatchObject({ topic: "news", filters: { k: "v" } });
    expect((await host.ask(event({ eventType: "one" }))).response).toBeUndefined();
    await host.ask(event({ eventType: "other topic", topic: "weather" }));
    await host.ask(event({ eventType: "other value", payload: { k: "w" } }));
    await host.ask(event({ eventType: "no payload", payload: undefined }));
    await unsubscribe();
    expect((await host.request("unsubscribe")).request?.value).toEqual(
      expect.objectContaining({ subscriptionId: request?.$case === "subscribe" && request.value.subscriptionId }),
    );
    await host.ask(event({ eventType: "too late" }));
    expect(heard).toEqual(["one"]);
  });

  it("hears only its own deliveries from a hub that names the subscription", async () => {
    const host = rawHost(definition);
    const heard: string[] = [];
    await host.runtime.hub.subscribe("news", () => heard.push("first"));
    await host.runtime.hub.subscribe("news", () => heard.push("second"));
    const { request } = await host.request(
      "subscribe",
      host.asked.findIndex((r) => r.request?.$case === "subscribe") + 1,
    );
    const subscriptionId = request?.$case === "subscribe" ? request.value.subscriptionId : "";
    await host.ask(event({ subscriptionId }));
    expect(heard).toEqual(["second"]);
    await host.ask(event({ subscriptionId: "somebody else's" }));
    expect(heard).toEqual(["second"]);
  });

  it("fails, and forgets the listener, where the hub refuses", async () => {
    const sent = toWireError(new HubError(ErrorCode.PermissionDenied, "rule 7"));
    const host = rawHost(definition, {
      answer: ({ request }) => (request?.$case === "subscribe" ? { error: sent } : undefined),
    });
    const heard: unknown[] = [];
    expect((await failure(host.runtime.hub.subscribe("news", () => heard.push(1)))).message).toBe("rule 7");
    await host.ask(event({}));
    expect(heard).toEqual([]);
  });

  it("survives listeners that throw or reject", async () => {
    const host = rawHost(definition);
    await host.runtime.hub.subscribe("news", () => {
      throw new Error("sync");
    });
    await host.runtime.hub.subscribe("news", (async () => {
      throw new Error("async");
    }) as () => void);
    await host.ask(event({}));
    await host.ask({ $case: "health", value: {} });
    expect(host.logs.map((line) => line.slice(0, line.indexOf(" {")))).toEqual([
      'error: A listener of "news" failed: sync',
      'error: A listener of "news" failed: async',
    ]);
  });
});

function silentOn(kind: string): Answer {
  return ({ request }) => (request?.$case === kind ? "silence" : undefined);
}
