import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { operatorPeer, request, type TestHub } from "../src/testing/index.ts";
import { hubsOfTests, text } from "./hubs.ts";
import { onFd } from "./plugins.ts";

const start = hubsOfTests({ restart: { maxCrashes: 0 } });

const stateOf = (hub: TestHub, index = 0) => hub.hub.plugins[index]!.supervised.state;
const log = (hub: TestHub, source: string) => hub.hub.log.tail(10_000, source);

describe("a plugin that lists too much", () => {
  it.each([
    [
      "5 MiB",
      { DESCRIPTION: String(5 * 1024 * 1024), TOOLS: "huge" },
      /lists too much: .* is 52\d{5} bytes, the limit is 4194304/,
    ],
    ["5 000 tools", { MORE_TOOLS: "5000" }, /lists too much: 5007 tools, the limit is 4096/],
  ])("%s: does not start, and is named with the size", async (_what, env, why) => {
    const hub = await start({ plugins: [onFd("tools.huge", env), onFd("tools.good", { TOOLS: "echo" })] });
    const state = stateOf(hub);
    if (state.name !== "failed") throw new Error(state.name);
    expect(state.error).toMatchObject({ code: "START_FAILED", message: expect.stringMatching(why) });
    expect(state.error.message).toContain("tools.huge");
    const tools = await request(await operatorPeer(hub), { $case: "listTools", value: {} });
    expect(tools.response).toMatchObject({ $case: "listTools", value: { tools: [{ name: "echo" }] } });
  });

  it("together with others: the list is an error that says so, and the link lives", async () => {
    const description = { DESCRIPTION: String(4_000_000) };
    const plugins = ["a", "b", "c", "d", "e"].map((name) => onFd(`tools.${name}`, { TOOLS: name, ...description }));
    const hub = await start({ plugins });
    const operator = await operatorPeer(hub);
    const tools = await request(operator, { $case: "listTools", value: {} });
    expect(tools.error?.message).toContain("The tools of all plugins are 20");
    expect(tools.error?.code).toBe(9);
    expect(await text(operator, "a")).toBe("a {}");
    await hub.hub.plugins[4]!.supervised.stop();
    const fewer = await request(operator, { $case: "listTools", value: {} });
    expect(fewer.response).toMatchObject({ $case: "listTools", value: { tools: { length: 4 } } });
  });

  it("leaves out names that are none, and says so", async () => {
    const hub = await start({ plugins: [onFd("tools.a", { BEHAVIOUR: "odd-names", TOOLS: "echo" })] });
    expect(hub.hub.plugins[0]!.offer?.tools.map((tool) => tool.name)).toEqual(["echo"]);
    expect(log(hub, "tools.a").some(({ text }) => text.includes('Left out tool "" and 2 more'))).toBe(true);
  });
});

describe("a plugin that hangs", () => {
  it("holds up no list: what it offers is known, and that of the others too", async () => {
    const hub = await start({
      plugins: [onFd("tools.hangs", { TOOLS: "late" }), onFd("tools.well", { TOOLS: "echo" })],
    });
    const { pid } = hub.hub.plugins[0]!.supervised;
    process.kill(pid, "SIGSTOP");
    const operator = await operatorPeer(hub);
    const tools = await request(operator, { $case: "listTools", value: {} }, { timeoutMs: 20_000 });
    expect(tools.response).toMatchObject({
      $case: "listTools",
      value: { tools: [{ name: "echo" }, { name: "late" }] },
    });
    const prompts = await request(operator, { $case: "listPrompts", value: {} }, { timeoutMs: 20_000 });
    expect(prompts.response?.$case).toBe("listPrompts");
    expect(await text(operator, "echo")).toBe("echo {}");
  });
});

describe("a plugin that publishes", () => {
  it("more than 1 MiB at once is told so, and nobody hears it", async () => {
    const hub = await start({
      plugins: [onFd("tools.a", { TOOLS: "publish" }), onFd("tools.b", { TOOLS: "x", NEEDS_EVENTS: "t" })],
    });
    const operator = await operatorPeer(hub);
    expect(await text(operator, "publish", { topic: "t", size: 2_000_000 })).toContain("the limit is 1048576");
    expect(await text(operator, "publish", { topic: "t", size: 1_000 })).toBe('"fine"');
    await expect.poll(() => hub.hub.status().eventsDelivered).toBe(1);
    expect(hub.hub.status().eventsDropped).toBe(0);
  });
});

describe("a plugin that writes", () => {
  it("control characters does not reach the operator's terminal with them", async () => {
    const hub = await start({ plugins: [onFd("tools.a", { TOOLS: "escape" })] });
    await text(await operatorPeer(hub), "escape");
    await expect
      .poll(() => log(hub, "tools.a").map(({ text }) => text))
      .toContain(String.raw`\x1b[2J\x1b]0;gone\x07 a\rb\u2028c`);
  });

  it("without end is held back, with its last lines and word of how many are missing; the others are heard", async () => {
    const hub = await start({
      plugins: [
        onFd("tools.a", { BEHAVIOUR: "flood-stderr", FLOOD_LINES: "20000" }),
        onFd("tools.b", { TOOLS: "escape" }),
      ],
    });
    await expect.poll(() => log(hub, "tools.a").at(-1)?.text).toBe("flood over");
    expect(log(hub, "tools.a").some(({ text }) => /^… suppressed \d+ lines/.test(text))).toBe(true);
    expect(hub.hub.plugins[0]!.supervised.stderrTail(1)).toEqual(["flood over"]);
    expect(log(hub, "tools.b").some(({ text }) => text.startsWith("ready"))).toBe(true);
  });
});

describe("many plugins", () => {
  it("start a few at a time, dependencies first", async () => {
    const plugins = Array.from({ length: 7 }, (_, n) =>
      onFd(`tools.p${n}`, { TOOLS: `t${n}` }, n === 0 ? { depends_on: ["tools.p6"] } : {}),
    );
    const states = new Map<string, string>();
    let most = 0;
    const order: string[] = [];
    const hub = await start({
      plugins,
      restart: { maxCrashes: 1, delaysMs: [1] },
      config: { max_starts_at_once: 2 },
      onLog: ({ source, text }) => {
        if (!source.startsWith("tools.")) return;
        const state = /^(starting|ready|failed|backoff)/.exec(text)?.[1];
        if (state === undefined) return;
        states.set(source, state);
        if (state === "ready") order.push(source);
        most = Math.max(most, [...states.values()].filter((name) => name === "starting").length);
      },
    });
    expect(hub.hub.status().pluginsReady).toBe(7);
    expect(most).toBe(2);
    expect(order.indexOf("tools.p6")).toBeLessThan(order.indexOf("tools.p0"));

    // They die of one cause.
    const starts = () => hub.hub.plugins.reduce((sum, { supervised }) => sum + supervised.starts, 0);
    for (const { supervised } of hub.hub.plugins) process.kill(supervised.pid, "SIGKILL");
    await expect.poll(() => [starts(), hub.hub.status().pluginsReady]).toEqual([14, 7]);
    expect(most).toBe(2);
  });

  it("that crash together come back a few at a time: 20 of them, counted by their processes", async () => {
    const directory = mkdtempSync(join(tmpdir(), "orchestrator-crash-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const file = join(directory, "starts");
    // Each is slow to become ready, and then breaks. Asked for its manifest, it says nothing.
    const script = `[ "$1" = --manifest ] || { echo begins; sleep 0.05; echo ends; } >> '${file}'; exit 1`;
    const command = ["/bin/sh", "-c", script, "sh"];
    const plugins = Array.from({ length: 20 }, (_, n) => ({ id: `tools.p${n}`, command, max_crashes: 1 }));
    const hub = await start({ plugins, config: { max_starts_at_once: 3 }, restart: { delaysMs: [1], maxCrashes: 1 } });
    const names = () => new Set(hub.hub.plugins.map(({ supervised }) => supervised.state.name));
    await expect.poll(() => [...names()]).toEqual(["failed"]);
    const lines = readFileSync(file, "utf8").trim().split("\n");
    expect(lines).toHaveLength(80);
    let atOnce = 0;
    const counts = lines.map((line) => {
      atOnce += line === "begins" ? 1 : -1;
      return atOnce;
    });
    // A busy machine may not get as far as three.
    expect(Math.max(...counts)).toBeLessThanOrEqual(3);
  });
});
