import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LinkPeer } from "@orchestrator/transport";
import { describe, expect, it } from "vitest";
import { operatorPeer, request, type TestHub } from "../src/testing/index.ts";
import { hubsOfTests, text } from "./hubs.ts";
import { fixture, onFd } from "./plugins.ts";

const start = hubsOfTests({ restart: { maxCrashes: 0 } });

const nested = (peer: LinkPeer, name: string) => text(peer, "nested", { kind: "tool", name });

async function publish(peer: LinkPeer, topic: string): Promise<void> {
  const event = { topic, eventType: "", payload: {}, sourcePlugin: "", subscriptionId: "", timestamp: undefined };
  await request(peer, { $case: "publish", value: event });
}

const heard = (hub: TestHub, source: string) =>
  hub.hub.log
    .tail(10_000, source)
    .filter(({ text }) => text.startsWith("event "))
    .map(({ text }) => (JSON.parse(text.slice("event ".length)) as { topic: string }).topic);

describe("what a plugin may use", () => {
  const plugins = (env: Record<string, string>, more: Record<string, unknown> = {}) => [
    onFd("tools.a", { TOOLS: "nested,register_again", ...env }, more),
    onFd("tools.b", { TOOLS: "first,second" }),
  ];

  it("is no more than its program printed before it ran", async () => {
    const env = { PRINTS_NEEDS_TOOLS: "first,get_*", NEEDS_TOOLS: "first,second,get_this,*" };
    const hub = await start({ plugins: plugins(env) });
    const operator = await operatorPeer(hub);
    expect(await nested(operator, "first")).toContain('"success":true');
    expect(await nested(operator, "second")).toContain("permission_denied");
    const refused = hub.hub.calls.latest(10).filter(({ error }) => error === "PERMISSION_DENIED");
    expect(refused).toMatchObject([{ caller: "tools.a", name: "tool second", callee: "" }]);
    expect(
      hub.hub.log
        .tail(1_000)
        .map(({ text }) => text)
        .join(),
    ).toContain('Refused "tools.a" the use of tool "second"');
    expect(hub.hub.plugins[0]!.needs.tools).toEqual(["first", "get_this"]);
    const [problem] = hub.hub.status().problems;
    expect(problem).toContain('"tools.a" asked for more than its program had said');
    expect(problem).toContain("needs_tools second, needs_tools *");
    expect(hub.hub.log.tail(100, "tools.a").filter(({ level }) => level === "warn")).toHaveLength(1);
  });

  it("is no more than it said first where its program printed nothing, and may become less", async () => {
    const hub = await start({ plugins: plugins({ NEEDS_TOOLS: "first,second" }) });
    const operator = await operatorPeer(hub);
    expect(await nested(operator, "second")).toContain('"success":true');
    await text(operator, "register_again", { needs: ["first"] });
    expect(await nested(operator, "second")).toContain("permission_denied");
    expect(hub.hub.status().problems).toEqual([]);
    await text(operator, "register_again", { needs: ["*"] });
    expect(await nested(operator, "first")).toContain("permission_denied");
    expect(hub.hub.status().problems.join()).toContain("needs_tools *");
  });

  it("is what the config says, whatever the program printed", async () => {
    const hub = await start({ plugins: plugins({ PRINTS_NEEDS_TOOLS: "" }, { needs_tools: ["second"] }) });
    const operator = await operatorPeer(hub);
    expect(await nested(operator, "second")).toContain('"success":true');
    await text(operator, "register_again", { needs: ["*"] });
    expect(await nested(operator, "first")).toContain("permission_denied");
    expect(hub.hub.status().problems).toEqual([]);
  });

  it("does not change with a registration that is refused", async () => {
    const hub = await start({ plugins: plugins({ NEEDS_TOOLS: "first" }) });
    const operator = await operatorPeer(hub);
    const patterns = Array.from({ length: 60 }, (_, n) => `${"*a".repeat(10)}${n}`);
    expect(await text(operator, "register_again", { needs: patterns })).toContain("patterns in needs_tools");
    const topics = Array.from({ length: 600 }, (_, n) => `t${n}`);
    expect(await text(operator, "register_again", { needs: [], events: topics })).toContain("needs_events");
    expect(await nested(operator, "first")).toContain('"success":true');
  });
});

describe("events that a manifest needs", () => {
  it("are meant by pattern, as far as the operator's rules go", async () => {
    const hub = await start({
      plugins: [onFd("tools.a", { TOOLS: "x", NEEDS_EVENTS: "feature.*" }, { deny: ["event:feature.secret"] })],
    });
    const operator = await operatorPeer(hub);
    for (const topic of ["feature.created", "feature.secret", "note.created", "feature.*"]) {
      await publish(operator, topic);
    }
    await expect.poll(() => heard(hub, "tools.a")).toEqual(["feature.created", "feature.*"]);
    await expect.poll(() => hub.hub.status().eventsDelivered).toBe(2);
  });

  it("end with those that a later registration leaves out", async () => {
    const hub = await start({ plugins: [onFd("tools.a", { TOOLS: "register_again", NEEDS_EVENTS: "a,b" })] });
    const operator = await operatorPeer(hub);
    await text(operator, "register_again", { needs: [], events: ["b", "c"] });
    for (const topic of ["a", "b", "c"]) await publish(operator, topic);
    await expect.poll(() => heard(hub, "tools.a")).toEqual(["b", "c"]);
  });

  it.each(["quic", "fd"])("and what it subscribed to besides end with its process, on %s", async (link) => {
    const hub = await start({
      plugins: [fixture("tools.a", { LINK: link, TOOLS: "subscribe", NEEDS_EVENTS: "needed" }, { allow: ["event:*"] })],
    });
    const operator = await operatorPeer(hub);
    await text(operator, "subscribe", { topic: "asked" });
    await publish(operator, "asked");
    await expect.poll(() => heard(hub, "tools.a")).toEqual(["asked"]);
    await hub.hub.plugins[0]!.supervised.restart();
    await publish(operator, "asked");
    await publish(operator, "needed");
    await expect.poll(() => heard(hub, "tools.a")).toEqual(["asked", "needed"]);
    // It hears of an event before its acknowledgement is back.
    await expect.poll(() => hub.hub.status().eventsDelivered).toBe(2);
    expect(hub.hub.status().eventsDropped).toBe(0);
  });
});

describe("who a plugin is", () => {
  it("is decided by config order, not by who answers first", async () => {
    const hub = await start({
      plugins: [
        fixture("one", { LINK: "fd", FIXTURE_ID: "tools.same", WHEN_ASKED: "slow", TOOLS: "a" }),
        fixture("two", { LINK: "fd", FIXTURE_ID: "tools.same", TOOLS: "b" }),
      ],
    });
    expect(hub.hub.plugins.map(({ supervised }) => supervised.state.name)).toEqual(["ready", "failed"]);
    expect(hub.hub.status().problems.join()).toContain('"one" and "two" both say that they are "tools.same"');
  });

  it("may be the config's name of another one that is somebody else itself", async () => {
    const hub = await start({
      plugins: [
        fixture("tools.x", { LINK: "fd", FIXTURE_ID: "tools.y", TOOLS: "a" }),
        fixture("tools.y", { LINK: "fd", FIXTURE_ID: "tools.x", TOOLS: "b" }),
      ],
    });
    expect(hub.hub.plugins.map(({ manifestId, isReady }) => [manifestId, isReady])).toEqual([
      ["tools.y", true],
      ["tools.x", true],
    ]);
  });

  it("is not one of those that are somebody else", async () => {
    const names = ["transport.stdio", "transport.webtransport", "operator", "tcp"];
    const plugins = names.map((name, n) => onFd(`tools.a${n}`, { FIXTURE_ID: name }));
    const hub = await start({ plugins: [...plugins, onFd("tools.b", { TOOLS: "whoami" })] });
    const problems = hub.hub.status().problems.join();
    for (const name of names) expect(problems).toContain(`says that it is "${name}", which is a name of the hub`);
    expect(await text(await hub.connect("transport.stdio-client"), "whoami")).toBe("transport.stdio|transport.stdio");
  });

  it("a program that does not know the question is started all the same", async () => {
    const directory = mkdtempSync(join(tmpdir(), "orchestrator-old-"));
    const program = join(directory, "old");
    const plugin = join(import.meta.dirname, "fixtures", "plugin.ts");
    const refusal = 'case "$*" in *--manifest*) echo "unknown flag: --manifest" >&2; exit 2;; esac';
    writeFileSync(program, `#!/bin/sh\n${refusal}\nexec "${process.execPath}" "${plugin}" "$@"\n`);
    chmodSync(program, 0o755);
    const hub = await start({ plugins: [{ ...onFd("tools.old", { TOOLS: "echo" }), binary: program }] });
    expect(await text(await operatorPeer(hub), "echo")).toBe("echo {}");
  });
});

describe("HTTP routes", () => {
  it("lead to the plugin that provides them, under their aliases too, for those whose manifest needs them", async () => {
    const hub = await start({
      plugins: [
        onFd(
          "web.a",
          { TOOLS: "x", HTTP: "/files,/bad/" },
          { alias: { "http:/files": "/f" }, provides_http: ["/more"] },
        ),
        onFd("tools.b", { TOOLS: "nested", NEEDS_HTTP: "/mor*" }),
      ],
    });
    const operator = await operatorPeer(hub);
    const get = (route: string) => {
      const value = { route, method: "PUT", path: "/a?b=1", headers: [], body: Buffer.from("body") };
      return request(operator, { $case: "http", value });
    };
    const { response } = await get("/f");
    if (response?.$case !== "http") throw new Error(`answered with ${response?.$case}`);
    expect(response.value.status).toBe(201);
    expect(Buffer.from(response.value.body).toString()).toBe("web.a PUT /files /a?b=1 body");
    expect((await get("/files")).error?.message).toContain('No plugin provides http "/files"');
    expect(await text(operator, "nested", { kind: "http", name: "/more" })).toContain('"status":201');
    expect(await text(operator, "nested", { kind: "http", name: "/f" })).toContain("needs_http");
    const plugins = { $case: "control", value: { command: { $case: "plugins", value: {} } } } as const;
    expect((await request(operator, plugins)).response).toMatchObject({
      value: { result: { value: { plugins: [{ routes: ["/more", "/f"] }, { routes: [] }] } } },
    });
    expect(hub.hub.log.tail(100, "web.a").some(({ text }) => text.includes('Left out HTTP route "/bad/"'))).toBe(true);
  });
});

describe("an alias", () => {
  it("of storage is heeded for requests that name no type", async () => {
    const hub = await start({
      plugins: [onFd("storage.a", { TOOLS: "x", STORAGE: "sqlite" }, { alias: { "storage:sqlite": "markdown" } })],
    });
    const read = { $case: "storageRead", value: { path: "a.md", storageType: "" } } as const;
    expect((await request(await operatorPeer(hub), read)).response).toMatchObject({
      $case: "storageRead",
      value: { version: 1, metadata: { by: "storage.a", type: "sqlite" } },
    });
  });

  it("of an AI provider's tool is heeded", async () => {
    const hub = await start({
      plugins: [
        onFd("bridge.a", { TOOLS: "ask", AI: "claude" }, { provides_ai: ["claude"] }),
        onFd("bridge.b", { TOOLS: "ask" }, { provides_ai: ["claude"], alias: { ask: "ask_b" } }),
      ],
    });
    const operator = await operatorPeer(hub);
    const value = { toolName: "ask_b", arguments: {}, callerPlugin: "", traceParent: "", provider: "claude" };
    const answer = await request(operator, { $case: "toolCall", value: { ...value, sessionId: "" } });
    expect(answer.response).toMatchObject({ value: { success: true, result: { text: "ask {}" } } });
    expect(hub.hub.calls.latest(1)[0]).toMatchObject({ callee: "bridge.b" });
    expect(hub.hub.status().problems).toEqual([]);
  });
});
