import { openAuthority } from "@orchestrator/identity";
import { ErrorCode, HubError, type PluginResponse } from "@orchestrator/protocol";
import { LinkPeer } from "@orchestrator/transport";
import { dialSocket } from "@orchestrator/transport-socket";
import { describe, expect, it } from "vitest";
import { operatorPeer, request, startTestHub, type TestHub } from "../src/testing/index.ts";
import { hubsOfTests, sharedHub } from "./hubs.ts";
import { fixture, onFd } from "./plugins.ts";

const start = hubsOfTests();

async function call(peer: LinkPeer, toolName: string, args: Record<string, unknown> = {}, context = {}) {
  const value = { toolName, arguments: args, callerPlugin: "liar", traceParent: "", provider: "", sessionId: "S1" };
  const response = await request(peer, { $case: "toolCall", value }, context);
  if (response.response?.$case !== "toolCall") throw new Error(`answered with ${response.response?.$case}`);
  return {
    ...response.response.value,
    text: String(response.response.value.result?.["text"] ?? ""),
    error: response.error,
  };
}

function lines(hub: TestHub, source: string): string[] {
  return hub.hub.log.tail(10_000, source).map((entry) => entry.text);
}

/** @returns what waits for one more such line than there were when this was called */
function anotherLine(hub: TestHub, source: string, text: string): () => Promise<void> {
  const count = () => lines(hub, source).filter((line) => line.includes(text)).length;
  const before = count();
  return async () => await expect.poll(count).toBeGreaterThan(before);
}

describe.each(["quic", "fd"])("a hub with one plugin on %s", (link) => {
  const plugin = (env: Record<string, string> = {}, more: Record<string, unknown> = {}) =>
    fixture("tools.a", { LINK: link, ...env }, more);
  const TOOLS = ["context", "echo", "fail", "nested", "progress", "stream", "wait", "whoami"];
  const shared = sharedHub({ plugins: [plugin({ TOOLS: TOOLS.join(",") })] });

  it("starts it, lists its tools and routes a call, with the verified caller and the session", async () => {
    const hub = shared();
    const operator = await operatorPeer(hub);
    expect(hub.hub.plugins[0]!.supervised.state.name).toBe("ready");
    expect((await call(operator, "echo", { n: 1 })).text).toBe('echo {"n":1}');
    expect((await call(operator, "whoami")).text).toBe("operator|operator");
    const gateway = await hub.connect("transport.stdio-client");
    expect((await call(gateway, "whoami")).text).toBe("transport.stdio|transport.stdio");
    const tools = await request(operator, { $case: "listTools", value: {} });
    if (tools.response?.$case !== "listTools") throw new Error("no list");
    expect(tools.response.value.tools.map((tool) => tool.name)).toEqual(TOOLS);
  });

  it("serves peers on its socket like those on QUIC: plugins with and without an inherited socket, streams, refusals", async () => {
    const hub = shared();
    const gateway = await hub.connect("transport.stdio-client", undefined, "unix");
    expect(gateway.link.carrier).toBe("unix");
    expect((await call(gateway, "whoami")).text).toBe("transport.stdio|transport.stdio");
    const late = await call(gateway, "wait", {}, { timeoutMs: 50 });
    expect(late.errorCode).toBe("deadline_exceeded");
    const foreign = await openAuthority(`${hub.directory}/foreign`);
    const tls = { ...(await foreign.leaf("orchestrator-operator")), caPem: hub.authority.caPem };
    const intruder = new LinkPeer();
    const health = dialSocket(hub.hub.socketAddress, { tls }, intruder.accept).then(() =>
      request(intruder, { $case: "health", value: {} }),
    );
    await expect(health).rejects.toThrow(HubError);
  });

  it("answers health itself, and unknown requests in the shape that existing peers know", async () => {
    const hub = shared();
    const operator = await operatorPeer(hub);
    const health = await request(operator, { $case: "health", value: {} });
    expect(health.response).toMatchObject({ $case: "health", value: { status: 1, message: "orchestrator ok" } });
    const boot = await request(operator, { $case: "boot", value: { config: {} } });
    expect(boot.response).toMatchObject({ $case: "toolCall", value: { success: false, errorCode: "unknown_request" } });
  });

  it("gives every request kind its own shape of error when nobody serves it", async () => {
    const hub = shared();
    const operator = await operatorPeer(hub);
    const tool = await call(operator, "nobody");
    expect(tool).toMatchObject({ success: false, errorCode: "tool_not_found" });
    expect(tool.errorMessage).toContain('"nobody"');
    const prompt = await request(operator, { $case: "promptGet", value: { promptName: "p", arguments: {} } });
    expect(prompt.response).toMatchObject({ $case: "promptGet", value: { messages: [] } });
    const read = await request(operator, { $case: "storageRead", value: { path: "a", storageType: "" } });
    expect(read.response).toMatchObject({ $case: "storageRead", value: { version: 0 } });
    expect(read.error?.message).toContain('storage "markdown"');
    const write = await request(operator, {
      $case: "storageWrite",
      value: { path: "a", content: new Uint8Array(), metadata: undefined, expectedVersion: 0, storageType: "x" },
    });
    expect(write.response).toMatchObject({ $case: "storageWrite", value: { success: false } });
    const remove = await request(operator, { $case: "storageDelete", value: { path: "a", storageType: "x" } });
    expect(remove.response).toMatchObject({ $case: "storageDelete", value: { success: false } });
    const list = await request(operator, {
      $case: "storageList",
      value: { prefix: "", pattern: "", storageType: "x" },
    });
    expect(list.response).toMatchObject({ $case: "storageList", value: { entries: [] } });
    for (const answer of [prompt, read, write, remove, list]) expect(answer.error?.code).toBe(2);
  });

  it("passes a tool's own failure on", async () => {
    const hub = shared();
    const failed = await call(await operatorPeer(hub), "fail");
    expect(failed).toMatchObject({ success: false, errorCode: "handler_error", errorMessage: "it broke" });
  });

  it("ends a call at its deadline and tells the plugin", async () => {
    const hub = shared();
    const operator = await operatorPeer(hub);
    const waiting = () => lines(hub, "tools.a").filter((line) => line === "waiting").length;
    // A call may be over before the plugin has heard of it: then there is nothing to tell, and the next one has more time.
    for (let [timeoutMs, hasHeard] = [40, false]; !hasHeard; timeoutMs *= 2) {
      const before = waiting();
      const told = anotherLine(hub, "tools.a", "cancelled");
      const late = await call(operator, "wait", {}, { timeoutMs });
      expect(late.errorCode).toBe("deadline_exceeded");
      expect(late.errorMessage).toContain(`${timeoutMs} ms`);
      hasHeard = waiting() > before;
      if (hasHeard) await told();
    }
    expect(hub.hub.status().callsInFlight).toBe(0);
  });

  it("uses the plugin's own deadline where the caller has none", async () => {
    const hub = await start({ plugins: [plugin({}, { call_timeout_ms: 40 })] });
    expect((await call(await operatorPeer(hub), "wait")).errorCode).toBe("deadline_exceeded");
  });

  it("hands a caller's cancellation through to the plugin", async () => {
    const hub = shared();
    const operator = await operatorPeer(hub);
    const abort = new AbortController();
    const value = { toolName: "wait", arguments: {}, callerPlugin: "", traceParent: "", provider: "", sessionId: "" };
    const { PluginRequest } = await import("@orchestrator/protocol");
    const bytes = PluginRequest.encode({
      requestId: "1",
      request: { $case: "toolCall", value },
      context: undefined,
    }).finish();
    const [waits, told] = [anotherLine(hub, "tools.a", "waiting"), anotherLine(hub, "tools.a", "cancelled")];
    const pending = operator.call(bytes, { signal: abort.signal });
    await waits();
    abort.abort();
    await expect(pending).rejects.toMatchObject({ code: ErrorCode.Cancelled });
    await told();
  });

  it("refuses more calls than the plugin's limit at once", async () => {
    const hub = await start({ plugins: [plugin({}, { max_calls_in_flight: 2 })] });
    const [operator, other] = [await operatorPeer(hub), await operatorPeer(hub)];
    const pending = [call(other, "wait").catch(() => {}), call(other, "wait").catch(() => {})];
    await expect.poll(() => hub.hub.status().callsInFlight).toBe(2);
    expect((await call(operator, "echo")).errorCode).toBe("resource_exhausted");
    other.link.abort(new HubError(ErrorCode.Cancelled, "enough"));
    await Promise.all(pending);
    await expect.poll(() => hub.hub.status().callsInFlight).toBe(0);
    expect((await call(operator, "echo")).success).toBe(true);
  });

  it("relays progress to a caller that wants it", async () => {
    const hub = shared();
    const operator = await operatorPeer(hub);
    expect((await call(operator, "progress")).text).toBe("done");
    const seen: number[] = [];
    const { PluginRequest, PluginResponse: Response } = await import("@orchestrator/protocol");
    const value = {
      toolName: "progress",
      arguments: {},
      callerPlugin: "",
      traceParent: "",
      provider: "",
      sessionId: "",
    };
    const context = { timeoutMs: 0, traceParent: "", caller: "", acceptsCalls: false, wantsProgress: true };
    const bytes = PluginRequest.encode({ requestId: "1", request: { $case: "toolCall", value }, context }).finish();
    for await (const message of operator.stream(bytes)) {
      const { response } = Response.decode(message);
      if (response?.$case === "progress") seen.push(response.value.progress);
    }
    expect(seen).toEqual([1, 2, 3]);
  });
});

describe("calls between plugins", () => {
  const two = (needs: Record<string, string>) => [
    fixture("tools.a", { TOOLS: "nested,first", ...needs }),
    onFd("tools.b", { TOOLS: "second,whoami,context", STORAGE: "markdown" }),
  ];

  it("go through the hub, which stamps the true caller and lets only what the manifest needs", async () => {
    const hub = await start({ plugins: two({ NEEDS_TOOLS: "whoami", NEEDS_STORAGE: "markdown" }) });
    const operator = await operatorPeer(hub);
    expect((await call(operator, "nested", { kind: "tool", name: "whoami" })).text).toContain("tools.a|tools.a");
    expect((await call(operator, "nested", { kind: "storage", name: "markdown" })).text).toContain('"version":1');
    const denied = JSON.parse(
      (await call(operator, "nested", { kind: "tool", name: "second" })).text,
    ) as PluginResponse;
    expect(denied.response?.value).toMatchObject({ success: false, errorCode: "permission_denied" });
    expect(JSON.stringify(denied)).toContain("needs_tools");
  });

  it("are one trace, with the outer call as parent", async () => {
    const hub = await start({ plugins: two({ NEEDS_TOOLS: "*" }) });
    const operator = await operatorPeer(hub);
    await call(operator, "nested", { kind: "tool", name: "second" });
    const [outer, inner] = hub.hub.calls.latest(2);
    expect(inner).toMatchObject({
      name: "tool second",
      caller: "tools.a",
      callee: "tools.b",
      parentSpanId: outer!.spanId,
    });
    expect(inner!.traceId).toBe(outer!.traceId);
    expect(outer!.durationUs).toBeGreaterThanOrEqual(inner!.durationUs);
  });
});

describe("streams", () => {
  const streamRequest = async (streamId: string, toolName = "stream") => {
    const { PluginRequest } = await import("@orchestrator/protocol");
    const value = { streamId, toolName, arguments: {}, callerPlugin: "" };
    return PluginRequest.encode({
      requestId: "r",
      request: { $case: "streamStart", value },
      context: undefined,
    }).finish();
  };

  async function read(peer: LinkPeer, bytes: Uint8Array, each?: (count: number) => Promise<void>) {
    const { PluginResponse: Response } = await import("@orchestrator/protocol");
    const sequences: number[] = [];
    for await (const message of peer.stream(bytes)) {
      const { response } = Response.decode(message);
      if (response?.$case === "streamChunk") {
        sequences.push(response.value.sequence);
        await each?.(sequences.length);
      } else if (response?.$case === "streamEnd") return { sequences, end: response.value };
    }
    throw new Error("no end");
  }

  const endless = sharedHub({ plugins: [fixture("tools.a", { BEHAVIOUR: "endless-stream" })] });

  it("are relayed in order, with their end", async () => {
    const hub = await start({ plugins: [fixture("tools.a")] });
    const { sequences, end } = await read(await operatorPeer(hub), await streamRequest("s1"));
    expect(sequences).toEqual([0, 1, 2, 3, 4]);
    expect(end).toMatchObject({ streamId: "s1", success: true, totalChunks: 5 });
  });

  it("need no id while there is one of them; a second one without is refused, one with an id is not", async () => {
    const hub = endless();
    const operator = await operatorPeer(hub);
    const first = operator.stream(await streamRequest(""));
    await first.next();
    const { end } = await read(operator, await streamRequest(""));
    expect(end).toMatchObject({
      success: false,
      errorCode: "invalid_argument",
      errorMessage: expect.stringContaining("has no stream id is under way"),
    });
    const named = operator.stream(await streamRequest("s1"));
    await named.next();
    // The refusal took nothing from the first one.
    expect((await first.next()).done).toBe(false);
    await Promise.all([first.return(), named.return()]);
    await expect.poll(() => hub.hub.status().callsInFlight).toBe(0);
    const again = operator.stream(await streamRequest(""));
    expect((await again.next()).done).toBe(false);
    await again.return();
  });

  it("of unknown tools end at once", async () => {
    const hub = endless();
    const { end } = await read(await operatorPeer(hub), await streamRequest("s1", "nobodys"));
    expect(end).toMatchObject({ streamId: "s1", success: false, errorCode: "tool_not_found" });
  });

  it("stop when the caller sends stream_cancel on another stream", async () => {
    const hub = endless();
    const operator = await operatorPeer(hub);
    const { end } = await read(operator, await streamRequest("s9"), async (count) => {
      if (count === 3) await request(operator, { $case: "streamCancel", value: { streamId: "s9" } });
    });
    expect(end).toMatchObject({ success: false });
    expect(end.errorMessage).toContain("canceled");
    expect(hub.hub.status().callsInFlight).toBe(0);
  });

  it("stop when the caller goes away", async () => {
    const hub = endless();
    const operator = await operatorPeer(hub);
    const told = anotherLine(hub, "tools.a", "aborted s7");
    for await (const _ of operator.stream(await streamRequest("s7"))) break;
    await told();
    expect(hub.hub.status().callsInFlight).toBe(0);
  });

  it("wait for a slow reader without holding up other calls or growing the hub", async () => {
    const hub = await start({ plugins: [fixture("tools.a", { BEHAVIOUR: "endless-stream", CHUNK: "65536" })] });
    const operator = await operatorPeer(hub);
    // Reads one piece, and no other one until the rest is asked for.
    const rest = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const slow = read(operator, await streamRequest("slow"), async (count) => {
      if (count > 1) return;
      begun.resolve();
      await rest.promise;
    });
    await begun.promise;
    for (let i = 0; i < 100; i += 1) await call(operator, "echo", { i });
    await request(operator, { $case: "streamCancel", value: { streamId: "slow" } });
    rest.resolve();
    // As much as it was let send, wherever between it and the reader that was.
    const { totalChunks } = (await slow).end;
    expect(totalChunks).toBeLessThan(128);
  });

  it("of one id cannot run twice for one caller", async () => {
    const hub = endless();
    const operator = await operatorPeer(hub);
    const first = operator.stream(await streamRequest("x"))[Symbol.asyncIterator]();
    await first.next();
    const { end } = await read(operator, await streamRequest("x"));
    expect(end.errorMessage).toContain('"x"');
    await first.return?.(undefined);
  });
});

describe("events", () => {
  it("reach subscribers that match, with publisher, time and subscription", async () => {
    const hub = await start({
      plugins: [fixture("tools.a", { TOOLS: "subscribe", NEEDS_EVENTS: "feature.updated,other" }), onFd("tools.b")],
    });
    const operator = await operatorPeer(hub);
    const args = { topic: "feature.updated", filters: { id: "7" } };
    expect((await call(operator, "subscribe", args)).success).toBe(true);
    const publish = (id: string) =>
      request(operator, {
        $case: "publish",
        value: {
          topic: "feature.updated",
          eventType: "changed",
          payload: { id },
          sourcePlugin: "liar",
          subscriptionId: "forged",
          timestamp: undefined,
        },
      });
    expect((await publish("8")).response).toBeUndefined();
    await publish("7");
    // Its manifest needs the topic, so it hears every event once, and the one that fits its own filter twice.
    await expect.poll(() => hub.hub.status().eventsDelivered).toBe(3);
    const heard = () => lines(hub, "tools.a").filter((line) => line.startsWith("event "));
    await expect.poll(heard).toHaveLength(3);
    const events = heard();
    expect(events.every((line) => line.includes('"sourcePlugin":"operator"'))).toBe(true);
    expect(events.filter((line) => line.includes('"subscriptionId":"s-feature.updated"'))).toHaveLength(1);
    expect(events.some((line) => line.includes("forged"))).toBe(false);
  });

  it("are not for plugins whose manifest does not need them, and the hub's own topics are the hub's", async () => {
    const hub = await start({ plugins: [onFd("tools.a", { TOOLS: "subscribe" })] });
    const operator = await operatorPeer(hub);
    expect((await call(operator, "subscribe", { topic: "secret" })).text).toContain("needs_events");
    const forged = await request(operator, {
      $case: "publish",
      value: {
        topic: "orchestrator.capabilities",
        eventType: "x",
        payload: undefined,
        sourcePlugin: "",
        subscriptionId: "",
        timestamp: undefined,
      },
    });
    expect(forged.error?.code).toBe(5);
  });

  it("that nobody acknowledges are counted as lost and hold nobody else up", async () => {
    const hub = await start({
      plugins: [
        onFd("tools.deaf", { BEHAVIOUR: "deaf", NEEDS_EVENTS: "t", TOOLS: "x" }),
        onFd("tools.b", { NEEDS_EVENTS: "t" }),
      ],
    });
    const operator = await operatorPeer(hub);
    const value = {
      topic: "t",
      eventType: "",
      payload: {},
      sourcePlugin: "",
      subscriptionId: "",
      timestamp: undefined,
    };
    // In parts that fit into a queue: a busy machine may well let the one that listens wait.
    for (let published = 550; published <= 1_100; published += 550) {
      const publish = () => request(operator, { $case: "publish", value });
      await Promise.all(Array.from({ length: 550 }, publish));
      await expect.poll(() => hub.hub.status().eventsDelivered).toBe(published);
    }
    expect(hub.hub.status().eventsDropped).toBeGreaterThanOrEqual(75);
  });

  it("tell a gateway on its own link when tools come and go", async () => {
    const hub = await start({ plugins: [onFd("tools.a")] });
    const topics: string[] = [];
    const { PluginRequest, PluginResponse: Response } = await import("@orchestrator/protocol");
    const gateway = await hub.connect("transport.stdio-client", (incoming) => {
      const { requestId, request: member } = PluginRequest.decode(incoming.payload);
      if (member?.$case === "publish") topics.push(member.value.topic);
      incoming.reply(Response.encode({ requestId, response: undefined, error: undefined }).finish());
    });
    const subscription = { subscriptionId: "1", topic: "orchestrator.capabilities", filters: {} };
    await request(gateway, { $case: "subscribe", value: subscription }, { acceptsCalls: true });
    await hub.hub.plugins[0]!.supervised.restart();
    await expect.poll(() => topics).toEqual(["orchestrator.capabilities", "orchestrator.capabilities"]);
  });
});

describe("names that two plugins claim", () => {
  const both = (more: Record<string, unknown> = {}) => [
    onFd("tools.a", { TOOLS: "echo,context" }),
    onFd("tools.b", { TOOLS: "echo,whoami" }, more),
  ];

  it("belong to the first in the config, and the operator is told", async () => {
    const hub = await start({ plugins: both() });
    await call(await operatorPeer(hub), "echo");
    expect(hub.hub.calls.latest(1)[0]!.callee).toBe("tools.a");
    expect(hub.hub.status().problems.join()).toContain('tool "echo" is provided by "tools.a" and by "tools.b"');
    const list = await request(await operatorPeer(hub), { $case: "listTools", value: {} });
    if (list.response?.$case !== "listTools") throw new Error("no list");
    expect(list.response.value.tools.filter((tool) => tool.name === "echo")).toHaveLength(1);
  });

  it("belong to the preferred one", async () => {
    const hub = await start({ plugins: both({ prefer: ["tool:echo"] }) });
    await call(await operatorPeer(hub), "echo");
    expect(hub.hub.calls.latest(1)[0]!.callee).toBe("tools.b");
    expect(hub.hub.status().problems).toEqual([]);
  });

  it("can have another name on the outside", async () => {
    const hub = await start({ plugins: both({ alias: { "tool:echo": "echo_b" } }) });
    expect((await call(await operatorPeer(hub), "echo_b", { x: 1 })).text).toBe('echo {"x":1}');
    expect(hub.hub.calls.latest(1)[0]!.callee).toBe("tools.b");
    expect(hub.hub.status().problems).toEqual([]);
  });
});

describe("AI providers", () => {
  it("are chosen by name; unknown ones fall back to the ordinary tool", async () => {
    const hub = await start({
      plugins: [
        onFd("bridge.claude", { TOOLS: "ai_prompt", AI: "claude" }, { provides_ai: ["claude"] }),
        onFd("bridge.openai", { TOOLS: "ai_prompt,list", AI: "openai" }, { provides_ai: ["openai"] }),
        onFd("tools.a", { TOOLS: "list" }),
      ],
    });
    const operator = await operatorPeer(hub);
    const callee = async (toolName: string, provider: string) => {
      const value = { toolName, arguments: {}, callerPlugin: "", traceParent: "", provider, sessionId: "" };
      await request(operator, { $case: "toolCall", value });
      return hub.hub.calls.latest(1)[0]!.callee;
    };
    expect(await callee("ai_prompt", "claude")).toBe("bridge.claude");
    expect(await callee("ai_prompt", "grok")).toBe("bridge.openai");
    expect(await callee("list", "nobody")).toBe("tools.a");
    expect(await callee("list", "")).toBe("tools.a");
    expect(hub.hub.status().problems).toEqual([]);
  });
});

describe("errors of a start", () => {
  it("are a taken port before any plugin runs", async () => {
    const first = await start({});
    const second = startTestHub({ config: { listen_addr: first.hub.address }, plugins: [fixture("tools.a")] });
    await expect(second).rejects.toThrow(HubError);
    await expect(second).rejects.toThrow(first.hub.address.split(":").at(-1)!);
  });
});
