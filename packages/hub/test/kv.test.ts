import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ErrorCode,
  fromWireError,
  HubError,
  type KvRequest,
  type KvResponse,
  PluginRequest,
  PluginResponse,
  uuidv7,
} from "@orchestrator/protocol";
import { Store } from "@orchestrator/store";
import { LinkPeer } from "@orchestrator/transport";
import { dialQuic } from "@orchestrator/transport-quic";
import { describe, expect, it } from "vitest";
import { operatorPeer, request, startTestHub, type TestHub } from "../src/testing/index.ts";
import { fixture } from "./plugins.ts";

type Operation = NonNullable<KvRequest["operation"]>;
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined) => value && new TextDecoder().decode(value);

const get = (key: string): Operation => ({ $case: "get", value: { key } });
const set = (key: string, value: string, more: { ttlMs?: number; expected?: { version: number } } = {}): Operation => ({
  $case: "set",
  value: { key, value: bytes(value), ttlMs: 0, expected: undefined, ...more },
});

/** Asks, and takes the answer or throws what the hub said. */
async function kv(peer: LinkPeer, operation: Operation, namespace = ""): Promise<KvResponse> {
  const { response, error } = await request(peer, { $case: "kv", value: { namespace, operation } });
  if (error !== undefined) throw fromWireError(error);
  if (response?.$case !== "kv") throw new HubError(ErrorCode.Protocol, `Answered with ${response?.$case}`);
  return response.value;
}

/** A watch, as the words that it told. */
function watch(peer: LinkPeer, value: { prefix?: string; existing?: boolean }, signal: AbortSignal, namespace = "") {
  const operation: Operation = { $case: "watch", value: { prefix: "", existing: false, ...value } };
  const payload = PluginRequest.encode({
    requestId: uuidv7(),
    request: { $case: "kv", value: { namespace, operation } },
    context: undefined,
  }).finish();
  return (async function* () {
    for await (const message of peer.stream(payload, { signal })) {
      const { response, error } = PluginResponse.decode(message);
      if (error !== undefined) throw fromWireError(error);
      if (response?.$case !== "kv") throw new Error(`Answered with ${response?.$case}`);
      const { entry, removed, lagged } = response.value;
      yield lagged
        ? "lagged"
        : entry === undefined
          ? "in place"
          : `${removed ? "-" : ""}${entry.key}=${text(entry.value)}`;
    }
  })();
}

const start = (more: Parameters<typeof startTestHub>[0] = {}): Promise<TestHub> =>
  startTestHub({ store: true, ...more });

describe("entries of plugins", () => {
  it("are written, read, listed and removed by the plugin whose certificate says so", async () => {
    await using hub = await start();
    const peer = await hub.connect("tools.one-client", undefined, "unix");
    expect((await kv(peer, get("a"))).entry).toBeUndefined();
    const written = await kv(peer, set("a", "1"));
    expect(written.entry).toMatchObject({ key: "a", version: 1, value: new Uint8Array(), expiresAtMs: 0 });
    expect(text((await kv(peer, get("a"))).entry?.value)).toBe("1");
    await kv(peer, set("b", "2", { ttlMs: 60_000 }), "tools.one");
    const list = await kv(peer, { $case: "list", value: { prefix: "", startKey: "", limit: 1, keysOnly: false } });
    expect(list.entries.map(({ key, value }) => [key, text(value)])).toEqual([["a", "1"]]);
    expect(list.nextKey).toBe("b");
    await expect(kv(peer, set("a", "3", { expected: { version: 0 } }))).rejects.toMatchObject({
      code: ErrorCode.FailedPrecondition,
    });
    const removed = await kv(peer, { $case: "delete", value: { key: "a", expected: { version: 1 } } });
    expect(removed.entry).toMatchObject({ key: "a", version: 1 });
    expect((await kv(peer, { $case: "delete", value: { key: "a", expected: undefined } })).entry).toBeUndefined();
  });

  it("belong to one plugin: the same key of two differs, and neither can name the other", async () => {
    await using hub = await start();
    const one = await hub.connect("tools.one-client", undefined, "unix");
    const two = await hub.connect("tools.two-client", undefined, "unix");
    await Promise.all([kv(one, set("key", "of one")), kv(two, set("key", "of two"))]);
    expect(text((await kv(one, get("key"))).entry?.value)).toBe("of one");
    expect(text((await kv(two, get("key"))).entry?.value)).toBe("of two");
    const denied = { code: ErrorCode.PermissionDenied };
    await expect(kv(two, get("key"), "tools.one")).rejects.toMatchObject(denied);
    await expect(kv(two, set("key", "x"), "tools.one")).rejects.toMatchObject(denied);
    const stream = watch(two, {}, AbortSignal.timeout(30_000), "tools.one");
    await expect(stream.next()).rejects.toMatchObject(denied);
  });

  it("are open to the operator and to gateways, who say whose they mean", async () => {
    await using hub = await start();
    const plugin = await hub.connect("tools.one-client", undefined, "unix");
    await kv(plugin, set("key", "1"));
    for (const name of ["orchestrator-operator", "orchestrator-gateway"]) {
      const peer = await hub.connect(name, undefined, "unix");
      expect(text((await kv(peer, get("key"), "tools.one")).entry?.value)).toBe("1");
      await expect(kv(peer, get("key"))).rejects.toMatchObject({ code: ErrorCode.InvalidArgument });
    }
  });

  it("are not mixed up where keys are no text: such a request is refused", async () => {
    await using hub = await start();
    const peer = await hub.connect("tools.one-client", undefined, "unix");
    const request = { $case: "kv", value: { namespace: "", operation: set("\u00ff", "1") } } as const;
    const payload = Buffer.from(PluginRequest.encode({ requestId: uuidv7(), request, context: undefined }).finish());
    // The same length, and no UTF-8.
    payload.set([0xfe, 0xff], payload.indexOf("\u00ff"));
    const { error } = PluginResponse.decode(await peer.call(payload));
    expect(fromWireError(error!)).toMatchObject({ code: ErrorCode.Protocol, message: /not UTF-8/ });
    const { entries } = await kv(peer, {
      $case: "list",
      value: { prefix: "", startKey: "", limit: 0, keysOnly: false },
    });
    expect(entries).toEqual([]);
  });

  it("are nobody's who has no certificate", async () => {
    await using hub = await start({ config: { allow_anonymous_peers: true } });
    const peer = new LinkPeer();
    const tls = { ...(await hub.authority.leaf("orchestrator-operator")), certPem: "", keyPem: "" };
    await dialQuic(hub.hub.address, { tls }, peer.accept);
    await expect(kv(peer, get("key"))).rejects.toMatchObject({ code: ErrorCode.PermissionDenied });
    await expect(kv(peer, get("key"), "tools.one")).rejects.toMatchObject({ code: ErrorCode.PermissionDenied });
    await peer.link.close(0);
  });

  it("are still there after a restart of the hub", async () => {
    const directory = mkdtempSync(join(tmpdir(), "orchestrator-kv-"));
    try {
      {
        await using hub = await start({ directory });
        await kv(await hub.connect("tools.one-client", undefined, "unix"), set("key", "kept"));
      }
      await using hub = await start({ directory });
      const peer = await hub.connect("tools.one-client", undefined, "unix");
      expect(text((await kv(peer, get("key"))).entry?.value)).toBe("kept");
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it("hold to the quota of the config", async () => {
    await using hub = await start({ config: { store: { kv_max_entries: 2 } } });
    const peer = await hub.connect("tools.one-client", undefined, "unix");
    await kv(peer, set("a", "1"));
    await kv(peer, set("b", "1"));
    await expect(kv(peer, set("c", "1"))).rejects.toMatchObject({ code: ErrorCode.ResourceExhausted });
    await kv(await hub.connect("tools.two-client", undefined, "unix"), set("c", "1"));
  });

  it("are refused with a clear word by a hub that keeps nothing", async () => {
    await using hub = await startTestHub();
    const peer = await hub.connect("tools.one-client", undefined, "unix");
    await expect(kv(peer, get("a"))).rejects.toMatchObject({ code: ErrorCode.Unimplemented, message: /no store/ });
  });

  it("are watched: what is there, then changes, until the watcher has enough", async () => {
    await using hub = await start();
    const peer = await hub.connect("tools.one-client", undefined, "unix");
    await kv(peer, set("a/1", "old"));
    const enough = new AbortController();
    const told: string[] = [];
    const watched = (async () => {
      for await (const word of watch(peer, { prefix: "a/", existing: true }, enough.signal)) {
        told.push(word);
        if (word === "in place") void kv(peer, set("a/2", "new")).then(() => kv(peer, set("b", "no")));
        if (word === "a/2=new") void kv(peer, { $case: "delete", value: { key: "a/1", expected: undefined } });
        if (word.startsWith("-")) return;
      }
    })();
    await watched;
    expect(told).toEqual(["a/1=old", "in place", "a/2=new", "-a/1="]);
    enough.abort();
  });

  it("can be watched so often and no more, and again when a watch was ended", async () => {
    await using hub = await start();
    const peer = await hub.connect("tools.one-client", undefined, "unix");
    const ends: AbortController[] = [];
    const open = async () => {
      const end = new AbortController();
      const first = await watch(peer, {}, end.signal).next();
      ends.push(end);
      return first.value;
    };
    for (let index = 0; index < 64; index++) expect(await open()).toBe("in place");
    await expect(open()).rejects.toMatchObject({ code: ErrorCode.ResourceExhausted });
    for (const end of ends.splice(0)) end.abort();
    // The hub hears of the ends before it hears of what is asked later on the same link.
    await kv(peer, get("a"));
    expect(await open()).toBe("in place");
    ends[0]?.abort();
  });

  it("do not pile up in the hub for a watcher that does not read", async () => {
    await using hub = await start();
    const writer = await hub.connect("tools.one-client", undefined, "unix");
    const reader = await hub.connect("tools.one-client", undefined, "unix");
    const end = new AbortController();
    const stream = watch(reader, {}, end.signal);
    expect((await stream.next()).value).toBe("in place");
    const value = "x".repeat(100_000);
    for (let index = 0; index < 120; index++) await kv(writer, set("k", `${index} ${value}`));
    await kv(writer, set("k", "last"));
    const told: string[] = [];
    for (let word = ""; word !== "k=last"; ) {
      word = (await stream.next()).value ?? "k=last";
      told.push(word.slice(0, 6));
    }
    expect(told).toContain("lagged");
    expect(told.length).toBeLessThan(120);
    end.abort();
  });
});

describe("hub.kv of a plugin", () => {
  const keeper = { id: "keeper", binary: join(import.meta.dirname, "fixtures", "keeper.ts") };

  async function callTool(peer: LinkPeer, toolName: string, args: Record<string, unknown> = {}) {
    const none = { callerPlugin: "", traceParent: "", provider: "", sessionId: "" };
    const { response } = await request(peer, { $case: "toolCall", value: { toolName, arguments: args, ...none } });
    if (response?.$case !== "toolCall" || !response.value.success) throw new Error(JSON.stringify(response));
    return response.value.result;
  }

  it("reaches its entries, over restarts of the plugin and of the hub", async () => {
    const directory = mkdtempSync(join(tmpdir(), "orchestrator-kv-"));
    try {
      {
        await using hub = await start({ directory, plugins: [keeper] });
        const operator = await operatorPeer(hub);
        await expect.poll(() => callTool(operator, "heard")).toEqual({ heard: ["ready"] });
        expect(await callTool(operator, "put", { key: "a", text: "kept" })).toEqual({ version: 1 });
        await expect.poll(() => callTool(operator, "heard")).toEqual({ heard: ["ready", "set a"] });
        expect(text((await kv(operator, get("a"), "keeper")).entry?.value)).toBe("kept");
        const restart = { $case: "restart", value: { plugin: "keeper" } } as const;
        expect((await request(operator, { $case: "control", value: { command: restart } })).error).toBeUndefined();
        expect(await callTool(operator, "take", { key: "a" })).toEqual({ text: "kept" });
      }
      await using hub = await start({ directory, plugins: [keeper] });
      const operator = await operatorPeer(hub);
      expect(await callTool(operator, "take", { key: "a" })).toEqual({ text: "kept" });
      await expect.poll(() => callTool(operator, "heard")).toEqual({ heard: ["set a", "ready"] });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe("events of plugins", () => {
  it("are kept, found again, and told to whoever follows", async () => {
    await using hub = await start({ plugins: [fixture("tools.fixture")] });
    const operator = await operatorPeer(hub);
    const events = async (value: object) => {
      const command = {
        $case: "events",
        value: { plugin: "", sinceMs: 0, limit: 0, follow: false, type: "", ...value },
      };
      const { response, error } = await request(operator, { $case: "control", value: { command } } as never);
      if (error !== undefined) throw fromWireError(error);
      if (response?.$case !== "control" || response.value.result?.$case !== "events") throw new Error("No events");
      return response.value.result.value.events;
    };
    const types = async () => (await events({ plugin: "tools.fixture" })).map(({ type }) => type);
    // They are on disk a little later.
    await expect.poll(types).toEqual(["started", "ready"]);
    expect(await events({ plugin: "nobody" })).toEqual([]);
    expect((await events({ type: "ready" })).map(({ plugin }) => plugin)).toEqual(["tools.fixture"]);

    const end = new AbortController();
    const command = {
      $case: "events",
      value: { plugin: "", sinceMs: Date.now() + 1e9, limit: 0, follow: true, type: "" },
    };
    const payload = PluginRequest.encode({
      requestId: uuidv7(),
      request: { $case: "control", value: { command } } as never,
      context: undefined,
    }).finish();
    const stream = operator.stream(payload, { signal: end.signal })[Symbol.asyncIterator]();
    await stream.next();
    hub.hub.keepEvent({ plugin: "hub", type: "noticed", details: { why: "a test" } });
    const { value } = await stream.next();
    const { response } = PluginResponse.decode(value as Uint8Array);
    expect(response).toMatchObject({
      value: { result: { value: { events: [{ plugin: "hub", type: "noticed", details: { why: "a test" } }] } } },
    });
    end.abort();
  });

  it("are told page by page, however many there are and however much they hold", async () => {
    await using hub = await start();
    const operator = await operatorPeer(hub);
    // A thousand of them are too much for one message.
    const words = "x".repeat(17_500);
    const record = (number: number) =>
      hub.hub.keepEvent({ plugin: "p", type: "crashed", details: { number, lastWords: words } });
    for (let number = 0; number < 1_020; number += 1) record(number);
    const numbers = async (follow: boolean, most: number, limit = 1_000) => {
      const command = { $case: "events", value: { plugin: "p", sinceMs: 0, limit, follow, type: "" } };
      const payload = PluginRequest.encode({
        requestId: uuidv7(),
        request: { $case: "control", value: { command } } as never,
        context: undefined,
      }).finish();
      const heard: unknown[] = [];
      for await (const message of operator.stream(payload)) {
        const { response } = PluginResponse.decode(message);
        if (response?.$case !== "control" || response.value.result?.$case !== "events") throw new Error("No events");
        if (follow && heard.length === 0) record(1_020);
        heard.push(...response.value.result.value.events.map(({ details }) => details?.["number"]));
        if (heard.length >= most) break;
      }
      return heard;
    };
    const past = Array.from({ length: 1_000 }, (_, index) => 20 + index);
    await expect.poll(() => numbers(false, 1, 1)).toEqual([1_019]);
    expect(await numbers(false, Number.POSITIVE_INFINITY)).toEqual(past);
    expect(await numbers(true, 1_001)).toEqual([...past, 1_020]);
  });

  it("and entries are copied to a file while the hub runs", async () => {
    await using hub = await start();
    await kv(await hub.connect("tools.one-client", undefined, "unix"), set("key", "kept"));
    const operator = await operatorPeer(hub);
    const file = join(hub.directory, "copy.db");
    const backup = () =>
      request(operator, { $case: "control", value: { command: { $case: "backup", value: { file } } } });
    expect((await backup()).error).toBeUndefined();
    expect(fromWireError((await backup()).error!).code).toBe(ErrorCode.AlreadyExists);
    await using copy = await Store.open({ file });
    expect(text(copy.kv.get("tools.one", "key")?.value)).toBe("kept");
    const plugin = await hub.connect("tools.one-client", undefined, "unix");
    const asked = await request(plugin, {
      $case: "control",
      value: { command: { $case: "backup", value: { file: `${file}2` } } },
    });
    expect(fromWireError(asked.error!).code).toBe(ErrorCode.PermissionDenied);
  });
});
