import { ErrorCode, HubError, toWireError } from "@orchestrator/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { caller, failure, hubOf, silentOn, toolAnswer } from "../../test/support/callers.ts";
import { rawHost, toolCall } from "../../test/support/raw-host.ts";
import { tool } from "../definition.ts";
import { isToolFailure } from "../hub-client.ts";

/** Time stands still unless a test moves it. */
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

describe("callTool", () => {
  it("sends what it was asked to, and who asks, to peers of any age", async () => {
    const host = rawHost(caller, { answer: () => toolAnswer({ success: true, result: { text: "ok" } }) });
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
    expect(context?.timeoutMs).toBe(30_000);
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
    const host = rawHost(caller, { answer: silentOn("toolCall") });
    const pending = failure(host.runtime.hub.callTool("t", {}, { timeoutMs: 20 }));
    await host.request("toolCall");
    vi.advanceTimersByTime(19);
    expect(host.cancelled).toBe(0);
    vi.advanceTimersByTime(1);
    expect((await pending).code).toBe(ErrorCode.DeadlineExceeded);
    expect(host.cancelled).toBe(1);
  });

  it("gives up when its signal aborts, also before it began", async () => {
    const host = rawHost(caller, { answer: silentOn("toolCall") });
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
    const host = rawHost(caller);
    const error = await failure(host.runtime.hub.callTool("t", { when: 1n } as never));
    expect(error.message).toBe('The input of tool "t" at "when" is a bigint, which JSON cannot hold');
    expect(host.asked.some(({ request }) => request?.$case === "toolCall")).toBe(false);
  });
});

describe("a call made while another one is served", () => {
  const relay = tool({
    description: "Relays",
    run(_input, { hub }) {
      vi.advanceTimersByTime(1_000);
      return hub.callTool("inner", {}, { timeoutMs: 60_000 });
    },
  });
  const relaying = { ...caller, tools: { relay } };
  const context = { timeoutMs: 5_000, traceParent: "00-11111111111111111111111111111111-2222222222222222-01" };

  it("carries what is left of the deadline, the trace and the session", async () => {
    const host = rawHost(relaying, { answer: () => toolAnswer({ success: true }) });
    await host.ask(toolCall("relay", {}, { sessionId: "S" }), { context });
    const inner = await host.request("toolCall");
    expect(inner.context?.timeoutMs).toBe(4_000);
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
    const host = rawHost(caller);
    await host.runtime.hub.publish("news", "made", { n: 1 });
    expect((await host.request("publish")).request?.value).toMatchObject({
      topic: "news",
      eventType: "made",
      payload: { n: 1 },
      sourcePlugin: "caller",
    });
  });
});
