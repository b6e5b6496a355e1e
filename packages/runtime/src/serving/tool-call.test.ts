import { ErrorCode, fromWireCode, HubError } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rawHost, toolCall } from "../../test/support/raw-host.ts";
import { ToolError, tool } from "../definition.ts";

const tools = {
  echo: tool({
    description: "Says it back",
    input: z.object({ text: z.string(), times: z.number().int().min(1).default(1) }),
    run: ({ text, times }) => text.repeat(times),
  }),
  plain: tool({
    description: "Plain schema",
    input: { type: "object", properties: { n: { type: "number" } }, required: ["n"] },
    run: ({ n }) => ({ doubled: Number(n) * 2 }),
  }),
  nothing: tool({ description: "No arguments, no result", run: () => {} }),
  sync: tool({
    description: "Throws",
    run: () => {
      throw new TypeError("boom");
    },
  }),
  rejects: tool({ description: "Rejects", run: () => Promise.reject(new Error("later")) }),
  refuses: tool({
    description: "Fails with a code",
    run: () => Promise.reject(new ToolError("gate_closed", "Not yet")),
  }),
  nested: tool({
    description: "Passes on a hub error",
    run: () => Promise.reject(new HubError(ErrorCode.Unavailable, "storage is away")),
  }),
  oddity: tool({ description: "Returns what JSON cannot hold", run: () => ({ a: { b: [1n] } }) as never }),
  huge: tool({ description: "Too large", run: () => "x".repeat(17 * 1024 * 1024) }),
  who: tool({
    description: "Shows its context",
    run: (_input, { caller, sessionId, provider, traceParent, deadlineMs }) => ({
      caller,
      sessionId,
      provider,
      traceParent,
      hasDeadline: Number.isFinite(deadlineMs),
    }),
  }),
  flow: tool({ description: "Streams", stream: async function* () {} }),
};
const definition = { id: "t", version: "1.0.0", tools };

async function call(name: string, args?: Record<string, unknown>, extra?: object) {
  const host = rawHost(definition);
  const response = await host.ask(toolCall(name, args, extra), { requestId: "id-1" });
  expect(response.requestId).toBe("id-1");
  if (response.response?.$case !== "toolCall") throw new Error(`answered with ${response.response?.$case}`);
  const error = response.error && { code: fromWireCode(response.error.code), message: response.error.message };
  return { ...response.response.value, error, logs: host.logs };
}

describe("a tool call", () => {
  it("answers text as text, objects as they are, and nothing as an empty object", async () => {
    expect(await call("echo", { text: "ab" })).toMatchObject({
      success: true,
      result: { text: "ab" },
      error: undefined,
    });
    expect(await call("plain", { n: 4 })).toMatchObject({ success: true, result: { doubled: 8 } });
    expect(await call("nothing")).toMatchObject({ success: true, result: {} });
  });

  it.each([
    ["echo", {}, /^Invalid arguments for tool "echo": text: expected string, received undefined$/],
    ["echo", { text: "a", times: 0 }, /times: Too small: expected number to be >=1/],
    ["plain", { n: "4" }, /^Invalid arguments for tool "plain": n: expected number$/],
    ["plain", undefined, /n: is required/],
  ])("refuses %s(%j) before the handler runs", async (name, args, message) => {
    const answer = await call(name, args);
    expect(answer).toMatchObject({ success: false, errorCode: "validation_error" });
    expect(answer.errorMessage).toMatch(message);
    expect(answer.error?.code).toBe(ErrorCode.InvalidArgument);
    expect(answer.logs).toEqual([]);
  });

  it.each([
    ["sync", "handler_error", "boom", ErrorCode.Internal],
    ["rejects", "handler_error", "later", ErrorCode.Internal],
    ["refuses", "gate_closed", "Not yet", ErrorCode.FailedPrecondition],
    ["nested", "handler_error", "storage is away", ErrorCode.Unavailable],
  ])("answers for %s with %s", async (name, errorCode, errorMessage, code) => {
    const answer = await call(name);
    expect(answer).toMatchObject({ success: false, errorCode, errorMessage, error: { code } });
  });

  it("puts the stack of a mistake into the log and keeps it out of the answer", async () => {
    const { errorMessage, logs } = await call("sync");
    expect(errorMessage).not.toContain("at ");
    expect(logs).toHaveLength(1);
    expect(logs[0]).toMatch(/^error: Tool "sync" failed: boom .*tool-call\.test\.ts/);
    expect((await call("refuses")).logs).toEqual([]);
  });

  it("says where a result holds what cannot travel", async () => {
    const { errorCode, errorMessage } = await call("oddity");
    expect(errorCode).toBe("handler_error");
    expect(errorMessage).toBe('The result of tool "oddity" at "a.b[0]" is a bigint, which JSON cannot hold');
  });

  it("answers with an error instead of silence when the result is too large", async () => {
    const answer = await call("huge");
    expect(answer).toMatchObject({ success: false, error: { code: ErrorCode.FrameTooLarge } });
  });

  it("knows neither strangers nor streaming tools", async () => {
    expect(await call("nope")).toMatchObject({ errorCode: "tool_not_found", error: { code: ErrorCode.NotFound } });
    expect(await call("flow")).toMatchObject({ errorCode: "tool_not_found" });
    expect(await call("toString")).toMatchObject({ errorCode: "tool_not_found" });
  });

  it("takes the caller that the hub verified over the one that the caller claims", async () => {
    const host = rawHost(definition);
    const claimed = { callerPlugin: "claimed", traceParent: "tp-old", provider: "claude", sessionId: "S" };
    const old = await host.ask(toolCall("who", {}, claimed));
    expect(old.response?.value).toMatchObject({
      result: { caller: "claimed", traceParent: "tp-old", provider: "claude", sessionId: "S", hasDeadline: false },
    });
    const context = { caller: "verified", traceParent: "tp-new", timeoutMs: 1000 };
    const modern = await host.ask(toolCall("who", {}, claimed), { context });
    expect(modern.response?.value).toMatchObject({
      result: { caller: "verified", traceParent: "tp-new", hasDeadline: true },
    });
  });
});

describe("progress", () => {
  const working = {
    ...definition,
    tools: {
      work: tool({
        description: "Works",
        run(_input, { progress }) {
          progress(1, 3, "one");
          progress(2, 3);
          return "done";
        },
      }),
    },
  };

  it("comes before the answer, where the caller wants it", async () => {
    const call = rawHost(working).open(toolCall("work"), { context: { wantsProgress: true } });
    await call.last;
    expect(call.messages.map(({ response }) => response?.$case)).toEqual(["progress", "progress", "toolCall"]);
    expect(call.messages[0]?.response?.value).toMatchObject({ progress: 1, total: 3, message: "one" });
  });

  it("is kept from callers that do not know it", async () => {
    const call = rawHost(working).open(toolCall("work"));
    await call.last;
    expect(call.messages).toHaveLength(1);
  });

  it("shrinks to the latest state where the caller is slow", async () => {
    const many = tool({
      description: "Reports a lot",
      async run(_input, { progress }) {
        for (let i = 1; i <= 10_000; i++) progress(i, 0, "x".repeat(1_000));
        return "done";
      },
    });
    const host = rawHost({ ...working, tools: { many } }, { stall: true });
    const call = host.open(toolCall("many"), { context: { wantsProgress: true } });
    await call.received(100);
    host.read();
    await call.last;
    expect(call.messages.length).toBeGreaterThan(10);
    expect(call.messages.length).toBeLessThan(1_000);
  });
});

describe("the signal", () => {
  const waiting = (seen: PromiseWithResolvers<unknown>, started: PromiseWithResolvers<void>) => ({
    ...definition,
    tools: {
      wait: tool({
        description: "Waits",
        run: (_input, { signal }) =>
          new Promise<string>((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              seen.resolve(signal.reason);
              reject(signal.reason as Error);
            });
            started.resolve();
          }),
      }),
    },
  });

  it("aborts when the carrier cancels the call", async () => {
    const [seen, started] = [Promise.withResolvers<unknown>(), Promise.withResolvers<void>()];
    const host = rawHost(waiting(seen, started));
    const call = host.open(toolCall("wait"));
    await started.promise;
    host.link.cancel(call.id);
    expect(await seen.promise).toMatchObject({ code: ErrorCode.Cancelled });
    await host.runtime.server.idle();
    expect(host.logs).toEqual([]);
  });

  it("aborts when the deadline passes, and the caller learns why", async () => {
    const [seen, started] = [Promise.withResolvers<unknown>(), Promise.withResolvers<void>()];
    const response = await rawHost(waiting(seen, started)).ask(toolCall("wait"), { context: { timeoutMs: 20 } });
    expect(await seen.promise).toMatchObject({ code: ErrorCode.DeadlineExceeded });
    expect(fromWireCode(response.error!.code)).toBe(ErrorCode.DeadlineExceeded);
    // What the hub says of a deadline, so that callers need not mind who noticed it first.
    expect(response.response?.value).toMatchObject({ success: false, errorCode: "deadline_exceeded" });
  });

  it("aborts when the link breaks", async () => {
    const [seen, started] = [Promise.withResolvers<unknown>(), Promise.withResolvers<void>()];
    const host = rawHost(waiting(seen, started));
    host.open(toolCall("wait"));
    await started.promise;
    host.link.abort(new HubError(ErrorCode.Internal, "pulled"));
    expect(await seen.promise).toMatchObject({ code: ErrorCode.Unavailable });
  });
});
