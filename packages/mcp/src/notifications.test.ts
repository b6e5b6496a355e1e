import { describe, expect, it } from "vitest";
import { initializeParams, type Message, startSession } from "../test/harness.ts";
import { isLogLevel, type LogLevel, RpcCode } from "./index.ts";

const LEVELS: LogLevel[] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];
const call = (id: unknown, name: string, progressToken?: unknown) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, ...(progressToken === undefined ? {} : { _meta: { progressToken } }) },
});

describe("progress", () => {
  it("grows, belongs to its request, and ends with the answer", async () => {
    const { send, saw, sent, about, backend } = startSession("2025-11-25");
    let later: (() => void) | undefined;
    backend.tools.set("works", (_input, { onProgress }) => {
      for (const [progress, total, message] of [
        [1, 4, "one"],
        [1, 4, "again"],
        [0.5, 4, "back"],
        [2, 0, ""],
      ] as const) {
        onProgress?.({ progress, total, message });
      }
      onProgress?.({ progress: Number.NaN });
      onProgress?.({ progress: Number.POSITIVE_INFINITY });
      later = () => onProgress?.({ progress: 9 });
      return { ok: true, value: { text: "" } };
    });
    send(call(5, "works", "token"));
    await saw((message) => message["id"] === 5);
    later?.();
    const params = sent
      .filter((message) => message["method"] === "notifications/progress")
      .map((message) => message["params"]);
    expect(params).toEqual([
      { progressToken: "token", progress: 1, total: 4, message: "one" },
      { progressToken: "token", progress: 2 },
    ]);
    expect(about).toEqual([5, 5, 5]);
  });

  it("has no text in the first version, and a token may be 0", async () => {
    const { send, saw, backend } = startSession("2024-11-05");
    backend.tools.set("works", (_input, { onProgress }) => {
      onProgress?.({ progress: 1, message: "one" });
      return { ok: true, value: {} };
    });
    send(call(5, "works", 0));
    const { params } = await saw((message) => message["method"] === "notifications/progress");
    expect(params).toEqual({ progressToken: 0, progress: 1 });
  });

  it("is left out while the client does not keep up, the answer never", async () => {
    let congested = true;
    const { send, saw, sent, backend } = startSession("2025-11-25", { congested: () => congested });
    backend.tools.set("works", (_input, { onProgress }) => {
      onProgress?.({ progress: 1 });
      congested = false;
      onProgress?.({ progress: 2 });
      congested = true;
      return { ok: true, value: {} };
    });
    send(call(5, "works", "t"));
    await saw((message) => message["id"] === 5);
    expect(sent.map((message) => message["params"]?.progress)).toEqual([2, undefined]);
  });
});

describe("cancellation", () => {
  it("reaches the backend, and the request is never answered", async () => {
    const { send, ask, sent, backend } = startSession("2025-11-25");
    send(call("a", "waits"));
    send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "a", reason: "because" } });
    expect(backend.seen[0]?.call.signal.aborted).toBe(true);
    await ask("ping");
    expect(sent.filter((message) => message["id"] === "a")).toEqual([]);
    send(call("a", "echo"));
    await ask("tools/list");
    expect(sent.filter((message) => message["id"] === "a")).toHaveLength(1);
  });

  it("does not wait for a backend that never gives up", async () => {
    const { send, session, backend, sent } = startSession("2025-11-25");
    let fail = (_: unknown) => {};
    backend.tools.set("stuck", () => new Promise((_, reject) => (fail = reject)));
    send(call(1, "stuck", "t"));
    send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } });
    await session.idle();
    backend.seen[0]?.call.onProgress?.({ progress: 1 });
    fail(new Error("at last"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toEqual([]);
  });
});

describe("list changes", () => {
  const methods = (sent: Message[]) => sent.map((message) => message["method"]);

  it("come once for a burst", () => {
    const timers: (() => void)[] = [];
    const schedule = (run: () => void) => {
      timers.push(run);
      return () => void timers.splice(timers.indexOf(run), 1);
    };
    const { backend, sent } = startSession("2025-11-25", { schedule });
    for (const kind of ["tools", "prompts", "tools", "resources", "tools"] as const) backend.changed(kind);
    expect(sent).toEqual([]);
    expect(timers).toHaveLength(1);
    timers.pop()?.();
    expect(methods(sent)).toEqual([
      "notifications/tools/list_changed",
      "notifications/prompts/list_changed",
      "notifications/resources/list_changed",
    ]);
    expect(sent.every((message) => !("id" in message) && !("params" in message))).toBe(true);
    backend.changed("tools");
    timers.pop()?.();
    expect(sent).toHaveLength(4);
  });

  it("wait until the client is ready, and end with the session", async () => {
    const { session, backend, send, sent, saw } = startSession();
    backend.changed("tools");
    send({ jsonrpc: "2.0", id: 1, method: "initialize", params: initializeParams("2025-11-25") });
    backend.changed("prompts");
    await Promise.resolve();
    expect(sent).toHaveLength(1);
    send({ jsonrpc: "2.0", method: "notifications/initialized" });
    await saw((message) => message["method"] === "notifications/prompts/list_changed");
    expect(methods(sent)).not.toContain("notifications/tools/list_changed");
    backend.changed("tools");
    session.close();
    await Promise.resolve();
    await Promise.resolve();
    expect(sent).toHaveLength(2);
  });
});

describe("logging", () => {
  it.each(LEVELS)("at %s lets through what is as severe", async (level) => {
    const { ask, backend, sent } = startSession("2025-11-25");
    expect((await ask("logging/setLevel", { level })).result).toEqual({});
    sent.length = 0;
    for (const each of LEVELS) backend.said({ level: each, logger: "hub", data: { each } });
    expect(sent.map((message) => message["params"].level)).toEqual(LEVELS.slice(LEVELS.indexOf(level)));
    expect(sent.at(-1)).toEqual({
      jsonrpc: "2.0",
      method: "notifications/message",
      params: { level: "emergency", logger: "hub", data: { each: "emergency" } },
    });
  });

  it("begins at warning, and starts over with the client", async () => {
    const { ask, send, backend, sent } = startSession("2025-11-25");
    const heard = () => {
      sent.length = 0;
      for (const level of LEVELS) backend.said({ level, logger: "hub", data: "" });
      return sent.length;
    };
    expect(heard()).toBe(5);
    await ask("logging/setLevel", { level: "debug" });
    expect(heard()).toBe(8);
    await ask("initialize", initializeParams("2025-11-25"));
    expect(heard()).toBe(0);
    send({ jsonrpc: "2.0", method: "notifications/initialized" });
    expect(heard()).toBe(5);
  });

  it.each([undefined, {}, { level: "loud" }, { level: 1 }, { level: "toString" }])("refuses %j", async (params) => {
    expect((await startSession("2025-11-25").ask("logging/setLevel", params)).error.code).toBe(RpcCode.InvalidParams);
    expect(isLogLevel("toString")).toBe(false);
  });
});
