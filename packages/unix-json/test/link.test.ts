import { renameSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { basename, dirname, join } from "node:path";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import * as fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { initialise } from "../src/index.ts";
import { Driver, errorOf, httpOf } from "./driver.ts";
import { docsAnswer, docsPlugin, framed, kvAnswer, pythonPlugin, StandIn, sdkAnswer, sdkPlugin } from "./stand-in.ts";

/** Nothing else happens in this process for so long. */
function holdUp(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

const serve = (method: string, path: string) => ({ status: 200, headers: { "x-by": "it" }, body: `${method} ${path}` });
const READINGS = [
  ["SDK", sdkPlugin(serve), "sdk"],
  ["early SDK", sdkPlugin(serve, "early"), "sdk"],
  ["documents", docsPlugin(serve), "docs"],
  ["Python example", pythonPlugin(serve), "sdk"],
] as const;

describe.each(READINGS)("a plugin that reads as the %s does", (_, behave, kvForm) => {
  it("answers HTTP and KV", async () => {
    await using plugin = await StandIn.listen(behave);
    using hub = new Driver(plugin.path, { kvForm });
    await initialise({ instanceId: "u", pluginSocket: plugin.path, logPath: "/l" }, new AbortController().signal);
    expect(await httpOf(hub.get("/a?b=1").ended)).toEqual({
      status: 200,
      headers: [["x-by", "it"]],
      body: "GET /a?b=1",
    });
    expect(await hub.tool("set", { key: "k", value: "v" }).ended).toMatchObject({
      response: {
        requestId: "ours",
        response: { $case: "toolCall", value: { success: true, result: { value: null } } },
      },
    });
    expect(await hub.tool("get", { key: "k" }).ended).toMatchObject({
      response: { response: { value: { success: true, result: { value: "v", text: "v" } } } },
    });
    const { ended } = hub.open({
      $case: "kv",
      value: { namespace: "", operation: { $case: "get", value: { key: "k" } } },
    });
    expect(await ended).toMatchObject({
      response: { response: { $case: "kv", value: { entry: { key: "k", value: new TextEncoder().encode("v") } } } },
    });
    await hub.tool("delete", { key: "k" }).ended;
    expect(await hub.tool("get", { key: "k" }).ended).toMatchObject({
      response: { response: { value: { result: { value: null } } } },
    });
    expect(plugin.messages[0]).toMatchObject({ payload: { action: "init", instance_id: "u", log_path: "/l" } });
    // Each id is the question's own, outside and inside.
    const ids = plugin.messages.slice(1).map(({ request_id, payload }) => [request_id, payload.request_id]);
    expect(ids.every(([outside, inside]) => outside === inside)).toBe(true);
    expect(new Set(ids.flat()).size).toBe(ids.length);
    expect([hub.doubled, hub.remarks]).toEqual([0, []]);
  });
});

describe("the form of questions about a store", () => {
  afterEach(() => vi.useRealTimers());
  const kinds = (plugin: StandIn) => plugin.messages.map(({ payload }) => payload.action ?? payload.payload.action);

  it("is found out once, where a plugin hangs up on the usual one", async () => {
    await using plugin = await StandIn.listen(sdkPlugin(serve, "early"));
    using hub = new Driver(plugin.path);
    await Promise.all([hub.tool("set", { key: "k", value: "v" }).ended, hub.tool("get", { key: "k" }).ended]);
    const before = plugin.messages.length;
    expect(await hub.tool("get", { key: "k" }).ended).toMatchObject({
      response: { response: { value: { result: { value: "v" } } } },
    });
    expect(plugin.messages.slice(before)).toMatchObject([{ payload: { payload: { action: "Get", key: "k" } } }]);
  });

  it("is not looked for again once the usual one was answered, nor where the configuration names one", async () => {
    const hangsUpOnSet = (kvForm: "sdk" | "docs") =>
      StandIn.listen((message, socket) => {
        const { action } = message["payload"];
        if (/set/i.test(action)) socket.end();
        else socket.write(kvAnswer(message["request_id"], kvForm));
      });
    for (const kvForm of ["sdk", "docs"] as const) {
      await using plugin = await hangsUpOnSet(kvForm);
      using hub = new Driver(plugin.path, { kvForm });
      if (kvForm === "sdk") await hub.tool("get", { key: "k" }).ended;
      expect(await errorOf(hub.tool("set", { key: "k", value: "v" }).ended)).toMatchObject({
        code: ErrorCode.Unavailable,
        message: expect.stringContaining("closed the connection without an answer"),
      });
      expect(kinds(plugin)).toEqual(kvForm === "sdk" ? ["Get", "Set"] : ["set"]);
    }
  });

  it("does not hide why a plugin that knows no form cannot be asked", async () => {
    let hangUp = (socket: Socket) => socket.end();
    await using plugin = await StandIn.listen((_, socket) => hangUp(socket));
    using hub = new Driver(plugin.path);
    const hungUp = { code: ErrorCode.Unavailable, message: expect.stringContaining("without an answer") };
    expect(await errorOf(hub.tool("get", { key: "k" }).ended)).toMatchObject(hungUp);
    expect(kinds(plugin)).toEqual(["Get", "Get"]);
    hangUp = (socket) => socket.end(framed("garbage"));
    expect(await errorOf(hub.tool("get", { key: "k" }).ended)).toMatchObject({ code: ErrorCode.Protocol });
    // Silent on the second form: it is still the first one's end that tells something.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const asked: boolean[] = [];
    hangUp = (socket) => (asked.push(true) === 1 ? socket.end() : socket);
    const { ended } = hub.tool("get", { key: "k" }, 30);
    await expect.poll(() => asked.length).toBe(2);
    vi.advanceTimersByTime(30);
    expect(await errorOf(ended)).toMatchObject(hungUp);
    expect([hub.doubled, hub.link.inFlight]).toEqual([0, 0]);
  });
});

describe("connections", () => {
  it("carry one question each, and are closed with its answer", async () => {
    await using plugin = await StandIn.listen(sdkPlugin(serve));
    using hub = new Driver(plugin.path);
    for (const path of ["/1", "/2", "/3"]) await httpOf(hub.get(path).ended);
    expect(plugin.connections).toBe(3);
    await expect.poll(() => plugin.open.size).toBe(0);
  });

  it("may be several at once where the plugin serves several", async () => {
    const waiting: (() => void)[] = [];
    await using plugin = await StandIn.listen(
      (message, socket) => {
        waiting.push(() => socket.write(sdkAnswer(message["request_id"], { status: 200, body: "" })));
        if (waiting.length === 3) for (const answer of waiting.splice(0)) answer();
      },
      { hands: Number.POSITIVE_INFINITY },
    );
    using hub = new Driver(plugin.path, { connections: 3 });
    const calls = Array.from({ length: 6 }, () => httpOf(hub.get().ended));
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
  });

  it("carry 15 MiB in each direction", async () => {
    const body = "ü".repeat(7 * 1024 * 1024);
    await using plugin = await StandIn.listen((message, socket) => {
      socket.write(docsAnswer(message["request_id"], { status: 200, body: message["payload"].payload.body }));
    });
    using hub = new Driver(plugin.path);
    const { ended } = hub.http({ method: "POST", body: Buffer.from(body) });
    expect((await httpOf(ended)).body === body).toBe(true);
  });
});

describe("what does not fit is refused, and the plugin does not hear of it", () => {
  it.each([
    [415, { method: "POST", body: Buffer.from([0xc3, 0x28]) }],
    [413, { method: "POST", body: Buffer.alloc(9 * 1024 * 1024, '"') }],
    [400, { method: "get me" }],
    [400, { path: "no-slash" }],
  ])("with %i", async (status, request) => {
    await using plugin = await StandIn.listen(sdkPlugin(serve));
    using hub = new Driver(plugin.path);
    expect((await httpOf(hub.http(request).ended)).status).toBe(status);
    expect(plugin.connections).toBe(0);
  });

  it("or with an error", async () => {
    await using plugin = await StandIn.listen(sdkPlugin(serve));
    using hub = new Driver(plugin.path);
    const kv = (operation: Parameters<typeof hub.open>[0] & { $case: "kv" }) => hub.open(operation).ended;
    const set = { key: "k", value: Buffer.from([0xff]), ttlMs: 0, expected: undefined };
    expect(
      await errorOf(kv({ $case: "kv", value: { namespace: "", operation: { $case: "set", value: set } } })),
    ).toMatchObject({ code: ErrorCode.InvalidArgument });
    const list = { prefix: "", startKey: "", limit: 0, keysOnly: false };
    expect(
      await errorOf(kv({ $case: "kv", value: { namespace: "", operation: { $case: "list", value: list } } })),
    ).toMatchObject({ code: ErrorCode.Unimplemented });
    expect(await errorOf(hub.tool("get", {}).ended)).toMatchObject({ code: ErrorCode.InvalidArgument });
    expect(await errorOf(hub.tool("list", { key: "k" }).ended)).toMatchObject({ code: ErrorCode.NotFound });
    expect(plugin.connections).toBe(0);
  });
});

/** What the plugin does with the first question; it answers the others as it should. */
const FAULTS: readonly [string, string, RegExp, (socket: import("node:net").Socket, id: string) => void][] = [
  ["garbage", "PROTOCOL", /not JSON/, (socket) => socket.write(framed("garbage"))],
  ["bytes that are not UTF-8", "PROTOCOL", /not UTF-8/, (socket) => socket.write(framed(Buffer.from([0xff, 0xfe])))],
  ["an empty frame", "PROTOCOL", /not JSON/, (socket) => socket.write(framed(""))],
  ["a frame that is too long", "PROTOCOL", /too long/, (socket) => socket.write(Buffer.from("01000001", "hex"))],
  ["half a frame", "PROTOCOL", /middle of its answer/, (socket) => socket.end(framed("{}").subarray(0, 5))],
  ["half a length", "PROTOCOL", /middle of its answer/, (socket) => socket.end(Buffer.from([0, 0]))],
  [
    "two frames",
    "PROTOCOL",
    /twice/,
    (socket, id) => socket.write(Buffer.concat([sdkAnswer(id, { status: 200 }), sdkAnswer(id, { status: 200 })])),
  ],
  [
    "one frame and a half",
    "PROTOCOL",
    /twice/,
    (socket, id) => socket.write(Buffer.concat([sdkAnswer(id, { status: 200 }), Buffer.from([0])])),
  ],
  ["another id", "PROTOCOL", /answered "other" where/, (socket) => socket.write(sdkAnswer("other", { status: 200 }))],
  ["a store's answer", "PROTOCOL", /neither a status/, (socket, id) => socket.write(kvAnswer(id, "x"))],
  ["the end of the connection", "UNAVAILABLE", /without an answer/, (socket) => socket.end()],
  ["a broken connection", "UNAVAILABLE", /connection/, (socket) => socket.destroy()],
];

describe("a plugin that answers with", () => {
  it.each(FAULTS)("%s gets the call %s, and the next one is served", async (_, code, message, fault) => {
    let asked = 0;
    await using plugin = await StandIn.listen((request, socket) => {
      asked += 1;
      if (asked === 1) fault(socket, request["request_id"]);
      else socket.write(sdkAnswer(request["request_id"], { status: 200, body: "well" }));
    });
    using hub = new Driver(plugin.path);
    const [broken, next] = [hub.get("/1"), hub.http({ method: "POST" })];
    const error = await errorOf(broken.ended);
    expect(error).toEqual({ code, message: expect.stringMatching(message) });
    expect(error.message).toContain('Plugin "hello"');
    expect((await httpOf(next.ended)).body).toBe("well");
    expect([hub.doubled, hub.link.inFlight]).toEqual([0, 0]);
  });

  it("nothing gets the call DEADLINE_EXCEEDED, and its connection is closed", async () => {
    await using plugin = await StandIn.listen(() => {});
    using hub = new Driver(plugin.path);
    const [silent, queued] = [hub.get("/", 80), hub.get("/queued", 20)];
    expect(await errorOf(silent.ended)).toMatchObject({
      code: ErrorCode.DeadlineExceeded,
      message: 'Plugin "hello" did not answer GET / within 80 ms; its log may say why',
    });
    expect(await errorOf(queued.ended)).toMatchObject({ message: expect.stringContaining("waited for its turn") });
    await expect.poll(() => plugin.open.size).toBe(0);
  });

  it.each(["aborts the link", "cancels the others"])(
    "those that are late together end once, where the first one %s",
    async (does) => {
      await using plugin = await StandIn.listen(() => {});
      using hub = new Driver(plugin.path);
      const calls = Array.from({ length: 5 }, () => hub.get("/", 30));
      let ends = 0;
      hub.onEnd = () => {
        if (++ends > 1) return;
        if (does === "aborts the link") hub.link.abort(new HubError(ErrorCode.Unavailable, "is gone"));
        else for (const { call } of calls) hub.link.cancel(call);
      };
      holdUp(50);
      await expect.poll(() => hub.link.inFlight).toBe(0);
      // A cancelled call does not end any more.
      expect([ends, hub.doubled]).toEqual([does === "aborts the link" ? 5 : 1, 0]);
    },
  );

  it("half a frame and then nothing gets the same", async () => {
    await using plugin = await StandIn.listen((_, socket) => void socket.write(Buffer.from([0, 0, 1])));
    using hub = new Driver(plugin.path);
    expect(await errorOf(hub.get("/", 30).ended)).toMatchObject({ code: ErrorCode.DeadlineExceeded });
  });

  it("another answer later neither reaches the next caller nor harms it", async () => {
    await using plugin = await StandIn.listen((request, socket) => {
      const answer = sdkAnswer(request["request_id"], { status: 200, body: request["payload"].payload.path });
      socket.write(answer);
      setImmediate(() => socket.write(answer));
    });
    using hub = new Driver(plugin.path);
    const paths = Array.from({ length: 10 }, (_, index) => `/${index}`);
    const ends = await Promise.allSettled(paths.map((path) => httpOf(hub.get(path).ended)));
    for (const [index, end] of ends.entries()) {
      // Where both came at once, the question itself is to blame.
      if (end.status === "rejected") expect(end.reason).toMatchObject({ message: expect.stringContaining("twice") });
      else expect(end.value.body).toBe(paths[index]);
    }
    expect(hub.doubled).toBe(0);
  });

  it("no id at all is believed on a fresh connection, and the connection is not used again", async () => {
    await using plugin = await StandIn.listen((_, socket) => {
      socket.write(framed(JSON.stringify({ type: "http", payload: { status: 200, body: "x" } })));
    });
    using hub = new Driver(plugin.path);
    const calls = [hub.get(), hub.get(), hub.get()].map(({ ended }) => httpOf(ended));
    expect((await Promise.all(calls)).map(({ body }) => body)).toEqual(["x", "x", "x"]);
    expect(plugin.connections).toBe(3);
  });
});

describe("whatever bytes a plugin answers with, in whatever pieces", () => {
  it("the call ends once, and the next one is served", async () => {
    const pieces = fc.array(fc.oneof(fc.uint8Array({ maxLength: 30 }), fc.constantFrom(framed("{}"), framed("x"))), {
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(pieces, fc.boolean(), async (chunks, hangsUp) => {
        await using plugin = await StandIn.listen((request, socket) => {
          const { path } = request["payload"].payload;
          if (path === "/next") return void socket.write(sdkAnswer(request["request_id"], { status: 204 }));
          for (const chunk of chunks) socket.write(chunk);
          if (hangsUp) socket.end();
        });
        using hub = new Driver(plugin.path);
        const { code } = await errorOf(hub.get("/", hangsUp ? 0 : 30).ended);
        expect(["PROTOCOL", "UNAVAILABLE", "DEADLINE_EXCEEDED"]).toContain(code);
        expect((await httpOf(hub.get("/next").ended)).status).toBe(204);
        expect([hub.doubled, hub.link.inFlight]).toEqual([0, 0]);
      }),
      { numRuns: 60 },
    );
  });
});

describe("a plugin that is not there", () => {
  it("is UNAVAILABLE at once", async () => {
    using hub = new Driver("/nonexistent/p.sock");
    expect(await errorOf(hub.get().ended)).toEqual({
      code: ErrorCode.Unavailable,
      message: 'Plugin "hello" cannot be reached at "/nonexistent/p.sock" (ENOENT)',
    });
  });
});

describe("a full queue", () => {
  it("refuses with RESOURCE_EXHAUSTED, and serves who waits", async () => {
    const answers: (() => void)[] = [];
    await using plugin = await StandIn.listen((request, socket) => {
      answers.push(() => socket.write(sdkAnswer(request["request_id"], { status: 200 })));
    });
    using hub = new Driver(plugin.path, { queueLimit: 2 });
    const served = [hub.get(), hub.get(), hub.get()];
    expect(await errorOf(hub.get().ended)).toEqual({
      code: ErrorCode.ResourceExhausted,
      message: '2 calls wait for plugin "hello", which is the limit of its queue',
    });
    for (const { ended } of served) {
      await expect.poll(() => answers.length).toBe(1);
      answers.pop()!();
      expect((await httpOf(ended)).status).toBe(200);
    }
  });

  it("counts bytes, too, and gives them back", async () => {
    await using plugin = await StandIn.listen(() => {});
    using hub = new Driver(plugin.path);
    const big = { method: "POST", body: Buffer.alloc(15 * 1024 * 1024, "x") };
    const calls = Array.from({ length: 5 }, () => hub.http(big));
    expect(await errorOf(hub.http(big).ended)).toMatchObject({ code: ErrorCode.ResourceExhausted });
    hub.link.cancel(calls[4]!.call);
    hub.http(big);
    expect(hub.link.inFlight).toBe(5);
  });
});

describe("cancelling", () => {
  it("closes the connection, lets the next one go, and nothing more is heard of the call", async () => {
    await using plugin = await StandIn.listen((request, socket) => {
      if (request["payload"].payload.path === "/slow") return;
      socket.write(sdkAnswer(request["request_id"], { status: 200 }));
    });
    using hub = new Driver(plugin.path);
    const [slow, queued, next] = [hub.get("/slow"), hub.get("/queued"), hub.get("/next")];
    await expect.poll(() => plugin.messages.length).toBe(1);
    hub.link.cancel(queued.call);
    hub.link.cancel(slow.call);
    expect((await httpOf(next.ended)).status).toBe(200);
    expect(plugin.messages.map(({ payload }) => payload.payload.path)).toEqual(["/slow", "/next"]);
    hub.link.cancel(next.call);
    expect([hub.doubled, hub.link.inFlight]).toEqual([0, 0]);
  });

  it("works before an answer that needs no plugin", async () => {
    using hub = new Driver("/nonexistent/p.sock");
    const { call, ended } = hub.http({ path: "bad" });
    hub.link.cancel(call);
    const other = hub.open({ $case: "listPrompts", value: {} });
    await other.ended;
    expect(await Promise.race([ended, Promise.resolve("nothing")])).toBe("nothing");
  });
});

describe("the link", () => {
  const reason = new HubError(ErrorCode.Unavailable, "it crashed");
  it("ends every call with the reason when it is aborted", async () => {
    await using plugin = await StandIn.listen(() => {});
    using hub = new Driver(plugin.path);
    const calls = [hub.get(), hub.get(), hub.open({ $case: "listPrompts", value: {} })];
    hub.link.abort(reason);
    for (const { ended } of calls) expect(await errorOf(ended)).toMatchObject({ message: "it crashed" });
    expect(hub.closed).toEqual({ error: reason });
    await hub.link.closed;
    expect(() => hub.get()).toThrow(expect.objectContaining({ code: ErrorCode.Unavailable }));
    await expect.poll(() => plugin.open.size).toBe(0);
  });

  it("closes when its calls are done", async () => {
    await using plugin = await StandIn.listen(sdkPlugin(serve));
    using hub = new Driver(plugin.path);
    const { ended } = hub.get();
    const closed = hub.link.close();
    expect(hub.link.isOpen).toBe(false);
    expect((await httpOf(ended)).status).toBe(200);
    await closed;
    expect(hub.closed).toEqual({ error: undefined });
  });

  it("closes when its patience is over", async () => {
    await using plugin = await StandIn.listen(() => {});
    using hub = new Driver(plugin.path);
    const { ended } = hub.get();
    await hub.link.close(5);
    expect(await errorOf(ended)).toMatchObject({ code: ErrorCode.Unavailable });
    expect(hub.closed).toEqual({ error: undefined });
  });

  it("lists the store's tools, or none", async () => {
    using hub = new Driver("/x");
    using bare = new Driver("/x", { kvForm: "none" });
    const list = async (driver: Driver) => {
      const end = await driver.open({ $case: "listTools", value: {} }).ended;
      return "response" in end && end.response.response?.$case === "listTools"
        ? end.response.response.value.tools.map(({ name }) => name)
        : undefined;
    };
    expect(await list(hub)).toEqual(["hello_kv_get", "hello_kv_set", "hello_kv_delete"]);
    expect(await list(bare)).toEqual([]);
    expect(await errorOf(bare.tool("get", { key: "k" }).ended)).toMatchObject({ code: ErrorCode.Unimplemented });
  });

  describe("says how the plugin does", () => {
    const healthOf = (hub: Driver) => hub.open({ $case: "health", value: {} }).ended;
    const well = { response: { response: { value: { status: 1 } } } };
    /** A name by which the system does not list the socket. */
    const otherName = (plugin: StandIn) => {
      const link = `${dirname(plugin.path)}-link`;
      symlinkSync(dirname(plugin.path), link);
      return { path: join(link, basename(plugin.path)), [Symbol.dispose]: () => unlinkSync(link) };
    };

    it.runIf(process.platform === "linux")("without a connection where the system tells it", async () => {
      await using plugin = await StandIn.listen(() => {});
      using hub = new Driver(plugin.path);
      expect(await healthOf(hub)).toMatchObject(well);
      await plugin[Symbol.asyncDispose]();
      expect(plugin.connections).toBe(0);
    });

    it("without a message, and without a connection while it works", async () => {
      await using plugin = await StandIn.listen(() => {});
      using name = otherName(plugin);
      using hub = new Driver(name.path);
      expect(await healthOf(hub)).toMatchObject(well);
      await expect.poll(() => plugin.connections).toBe(1);
      expect(plugin.messages).toEqual([]);
      hub.get();
      await expect.poll(() => plugin.connections).toBe(2);
      expect(await healthOf(hub)).toMatchObject(well);
      expect(plugin.connections).toBe(2);
    });

    it("by its hanging up, where it let a question go by, and however late that is", async () => {
      const held: Socket[] = [];
      let works = true;
      // Takes connections, as the system does for it, and reads none while it works.
      await using plugin = await StandIn.listen(() => {}, {
        onConnection: (socket) => void (works ? held.push(socket) : socket.end()),
      });
      using hub = new Driver(plugin.path, { hangsUp: true });
      const check = () => hub.link.check(new AbortController().signal);
      const { ended } = hub.get("/", 20);
      await check();
      expect([await errorOf(ended), hub.link.isOwed]).toMatchObject([{ code: ErrorCode.DeadlineExceeded }, true]);
      const stopped = new AbortController();
      const given = hub.link.check(stopped.signal);
      stopped.abort(new Error("enough"));
      await expect(given).rejects.toThrow("enough");
      let isKnown = false;
      // The one that was stopped may have come as far as the plugin, or not.
      const before = held.length;
      const known = check().then(() => {
        isKnown = true;
      });
      await expect.poll(() => held.length).toBeGreaterThan(before);
      expect(isKnown).toBe(false);
      works = false;
      for (const socket of held) socket.end();
      await known;
      expect(hub.link.isOwed).toBe(false);
    });

    it("as ever, where it does not hang up by itself", async () => {
      await using plugin = await StandIn.listen(() => {}, { onConnection: () => {} });
      using hub = new Driver(plugin.path);
      await errorOf(hub.get("/", 20).ended);
      expect(hub.link.isOwed).toBe(true);
      await hub.link.check(new AbortController().signal);
    });

    it("as UNAVAILABLE where nobody listens, though a connection is open, or where its file is gone", async () => {
      const plugin = await StandIn.listen(() => {}, { hands: Number.POSITIVE_INFINITY });
      using hub = new Driver(plugin.path);
      using gone = new Driver("/nonexistent/p.sock");
      const kept = connect(plugin.path);
      kept.on("error", () => {});
      await expect.poll(() => plugin.open.size).toBe(1);
      renameSync(plugin.path, `${plugin.path}.away`);
      for (const driver of [hub, gone]) {
        expect(await errorOf(healthOf(driver))).toMatchObject({ code: ErrorCode.Unavailable });
      }
      renameSync(`${plugin.path}.away`, plugin.path);
      expect(await healthOf(hub)).toMatchObject(well);
      plugin.stopListening();
      writeFileSync(plugin.path, "");
      expect(await errorOf(healthOf(hub))).toMatchObject({ code: ErrorCode.Unavailable });
      await plugin[Symbol.asyncDispose]();
      kept.destroy();
    });
  });

  it("passes shutdown on, and answers when the plugin has hung up", async () => {
    await using plugin = await StandIn.listen(() => {});
    using hub = new Driver(plugin.path);
    const { ended } = hub.open({ $case: "shutdown", value: { timeoutSeconds: 60 } });
    expect(await ended).toMatchObject({ response: { response: { $case: "shutdown", value: { clean: true } } } });
    expect(plugin.messages).toMatchObject([{ payload: { action: "shutdown" } }]);
  });

  it("says so where it is asked for something else", async () => {
    using hub = new Driver("/x");
    expect(await hub.open({ $case: "boot", value: { config: {} } }).ended).toMatchObject({
      response: { error: { message: expect.stringContaining("serves no such request") } },
    });
    const garbage = hub.link.open(Buffer.from([0xff]), true);
    expect(garbage).toBeGreaterThan(0);
    expect(() => hub.link.open(new Uint8Array(16 * 1024 * 1024 + 1), true)).toThrow(
      expect.objectContaining({ code: ErrorCode.FrameTooLarge }),
    );
  });
});

describe("init", () => {
  it("waits for a connection, however long the socket's file has been there", async () => {
    await using plugin = await StandIn.listen(sdkPlugin(serve));
    const { path } = plugin;
    await plugin[Symbol.asyncDispose]();
    const late = new AbortController();
    const waiting = initialise({ instanceId: "u", pluginSocket: path, logPath: "/l" }, late.signal);
    late.abort(new Error("too late"));
    await expect(waiting).rejects.toThrow("too late");
  });

  it("arrives before whatever follows, also where the plugin serves its connections side by side", async () => {
    await using plugin = await StandIn.listen(sdkPlugin(serve), { hands: Number.POSITIVE_INFINITY });
    using hub = new Driver(plugin.path);
    await initialise({ instanceId: "u", pluginSocket: plugin.path, logPath: "/l" }, new AbortController().signal);
    await httpOf(hub.get().ended);
    expect(plugin.messages.map(({ type }) => type)).toEqual(["lifecycle", "http"]);
    expect(plugin.connections).toBe(2);
  });
});
