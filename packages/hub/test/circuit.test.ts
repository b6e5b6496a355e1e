import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PluginRequest, type PluginResponse } from "@orchestrator/protocol";
import type { LinkPeer } from "@orchestrator/transport";
import { afterEach, describe, expect, it } from "vitest";
import { request, type StartTestHubOptions } from "../src/testing/index.ts";
import { fixture, onFd } from "./plugins.ts";
import { Site } from "./supervision.ts";

const DAY_MS = 86_400_000;
/** Opens with the third failure, and no trial is due within the test unless it says so. */
const circuit = (cool_down_ms = DAY_MS, failures = 3) => ({ circuit: { failures, cool_down_ms } });
/** A plugin with a tool of its own name that misbehaves as its file says. */
const told = (id: string, more: Record<string, unknown> = circuit(), env: Record<string, string> = {}) =>
  onFd(id, { BEHAVIOUR: "as-told", TOLD: `${id}.txt`, TOOLS: id, ...env }, more);

/** On a machine with much else to do. */
const sites: Site[] = [];
afterEach(async () => {
  await Promise.all(sites.splice(0).map((site) => site[Symbol.asyncDispose]()));
});

async function open(options: StartTestHubOptions): Promise<Site> {
  const site = await Site.open({ shutdownMs: 300, termMs: 300, ...options });
  sites.push(site);
  return site;
}

/** In one step: there is no moment at which it says nothing. */
function tell(site: Site, id: string, how: string): void {
  const file = join(site.test.workspace, `${id}.txt`);
  writeFileSync(`${file}.new`, how);
  renameSync(`${file}.new`, file);
}
/** Somebody else than the operator. */
const gateway = (site: Site) => site.test.connect("transport.stdio-client", undefined, "unix");

const toolCall = (toolName: string) =>
  ({
    $case: "toolCall",
    value: { toolName, arguments: {}, callerPlugin: "", traceParent: "", provider: "", sessionId: "" },
  }) as const;

const call = (peer: LinkPeer, tool: string, timeoutMs = 0): Promise<PluginResponse> =>
  request(peer, toolCall(tool), { timeoutMs });

/** A call that its caller can give up. */
function callUntil(signal: AbortSignal, peer: LinkPeer, tool: string): Promise<unknown> {
  const message = PluginRequest.fromPartial({ requestId: "given up", request: toolCall(tool) });
  return peer.call(PluginRequest.encode(message).finish(), { signal });
}

/** How a call ended: 0, or the code of its error on the wire. */
const codeOf = async (peer: LinkPeer, tool: string, timeoutMs = 0) =>
  (await call(peer, tool, timeoutMs)).error?.code ?? 0;
const PROTOCOL = 12;
const UNAVAILABLE = 8;
const DEADLINE = 6;

async function codes(times: number, peer: LinkPeer, tool: string, timeoutMs = 0): Promise<number[]> {
  const seen: number[] = [];
  for (let n = 0; n < times; n += 1) seen.push(await codeOf(peer, tool, timeoutMs));
  return seen;
}

/** What was told of circuits in the log of a plugin. */
const tales = (site: Site, id: string) =>
  site
    .log(id)
    .filter((line) => line.startsWith("circuit_"))
    .map((line) => line.split(":")[0]);

describe("a plugin that gives no proper answers", () => {
  it.each([
    ["garbage", PROTOCOL, "fd", onFd],
    ["wrong-member", PROTOCOL, "quic", fixture],
    ["hang-up", UNAVAILABLE, "fd", onFd],
    ["hang-up", UNAVAILABLE, "quic", fixture],
  ])("but %s (%s), over %s, is not called after so many; its neighbour is", async (how, code, _link, plugin) => {
    const bad = plugin("p.bad", { BEHAVIOUR: how, TOOLS: "bad" }, circuit());
    const site = await open({ plugins: [bad, onFd("p.good", { TOOLS: "good" }, circuit())] });
    const { operator } = site;
    expect(await codes(3, operator, "bad")).toEqual([code, code, code]);
    const { error } = await call(operator, "bad");
    expect(error?.code).toBe(UNAVAILABLE);
    expect(error?.message).toMatch(
      /^Plugin "p\.bad" has given no proper answer to the last 3 calls of "operator" \(last: Plugin "p\.bad" .+\); the next is due in \d+ ms$/,
    );
    expect(await codes(20, operator, "good")).toEqual(new Array(20).fill(0));
    expect(await site.tools()).toEqual(["bad", "good"]);
    expect(site.entry("p.bad").inFlight.calls).toBe(0);
    // Somebody else finds out for himself.
    expect(await codeOf(await gateway(site), "bad")).toBe(code);
  });
});

describe("an open circuit", () => {
  it("closes with the first proper answer, and is told once, to the operator, the log, the store and subscribers", async () => {
    const listener = onFd("p.ear", { TOOLS: "ear", NEEDS_EVENTS: "orchestrator.plugins" });
    const site = await open({ plugins: [told("p", circuit(1)), listener], store: true });
    const { operator } = site;
    tell(site, "p", "garbage");
    await codes(3, operator, "p");
    const why = expect.stringMatching(
      /^no proper answer to the last 3 calls of "operator" \(last: .*bytes that do not/,
    );
    expect((await site.status("p")).openCircuits).toEqual([why]);
    expect(site.test.hub.status().problems).toEqual([expect.stringMatching(/^Plugin "p" has given no proper answer/)]);
    // Trials fail, and nothing of that is told.
    await expect.poll(async () => (await codes(5, operator, "p")).includes(PROTOCOL)).toBe(true);
    await expect.poll(() => site.entry("p").circuits.of("operator").failures).toBeGreaterThan(3);
    tell(site, "p", "");
    await expect.poll(() => codeOf(operator, "p")).toBe(0);
    expect(await codes(20, operator, "p")).toEqual(new Array(20).fill(0));
    expect((await site.status("p")).openCircuits).toEqual([]);
    expect(tales(site, "p")).toEqual(["circuit_opened", "circuit_closed"]);
    const command = { plugin: "p", sinceMs: 0, limit: 0, follow: false, type: "" };
    const kept = async () => {
      const result = await site.control({ $case: "events", value: command });
      const events = result?.$case === "events" ? result.value.events : [];
      return events.filter(({ type }) => type.startsWith("circuit_"));
    };
    await expect.poll(async () => (await kept()).length).toBe(2);
    expect(await kept()).toMatchObject([
      { type: "circuit_opened", details: { caller: "operator", failures: 3, retryMs: 1, reason: why } },
      { type: "circuit_closed", details: { caller: "operator", reason: "a call was answered" } },
    ]);
    await expect.poll(() => site.log("p.ear").filter((line) => line.includes("circuit_")).length).toBe(2);
  });

  it("lets one call through at a time", async () => {
    const site = await open({ plugins: [told("p", circuit(1))] });
    const { operator } = site;
    tell(site, "p", "hang-up");
    await codes(3, operator, "p");
    tell(site, "p", "hang");
    const { circuits, inFlight } = site.entry("p");
    const state = () => circuits.of("operator").state(performance.now());
    await expect.poll(state).toBe("half-open");
    const gaveUp = new AbortController();
    const answers = Array.from({ length: 10 }, () => callUntil(gaveUp.signal, operator, "p"));
    const ends = Promise.allSettled(answers);
    await expect.poll(() => inFlight.calls).toBe(1);
    expect((await call(operator, "p")).error?.message).toContain("one is under way to see whether it does now");
    expect(inFlight.calls).toBe(1);
    // A trial that its caller gives up makes room for the next one.
    gaveUp.abort();
    await ends;
    await expect.poll(() => inFlight.calls).toBe(0);
    tell(site, "p", "");
    expect(await codeOf(operator, "p")).toBe(0);
  });

  it.each([
    ["a reset by the operator", (site: Site) => site.control({ $case: "reset", value: { plugin: "p" } })],
    ["a restart", (site: Site) => site.control({ $case: "restart", value: { plugin: "p" } })],
    ["an upgrade", (site: Site) => site.control({ $case: "upgrade", value: { plugin: "p" } })],
    [
      "a crash",
      async (site: Site) => {
        const { supervised } = site.entry("p");
        process.kill(supervised.pid, "SIGKILL");
        await supervised.reached("backoff");
        await supervised.reached("ready");
      },
    ],
  ])("is closed by %s", async (_what, mend) => {
    const site = await open({ plugins: [told("p")] });
    tell(site, "p", "garbage");
    expect(await codes(4, site.operator, "p")).toEqual([PROTOCOL, PROTOCOL, PROTOCOL, UNAVAILABLE]);
    await mend(site);
    expect((await site.status("p")).openCircuits).toEqual([]);
    expect(await codes(4, site.operator, "p")).toEqual([PROTOCOL, PROTOCOL, PROTOCOL, UNAVAILABLE]);
    expect(tales(site, "p")).toEqual(["circuit_opened", "circuit_closed", "circuit_opened"]);
  });
});

describe("a plugin that hangs", () => {
  it("is not called after so many calls that had time enough", async () => {
    const site = await open({ plugins: [told("p")] });
    tell(site, "p", "hang");
    const hung = await Promise.all(Array.from({ length: 3 }, () => codeOf(site.operator, "p", 1_000)));
    expect(hung).toEqual([DEADLINE, DEADLINE, DEADLINE]);
    expect((await call(site.operator, "p")).error?.message).toContain("No answer from plugin");
    expect(site.entry("p").inFlight.calls).toBe(0);
  });

  it("opens nothing with calls that had no time, and nothing for others with those that had", async () => {
    const site = await open({ plugins: [told("p", { ...circuit(), call_timeout_ms: 40 })] });
    const hostile = await gateway(site);
    tell(site, "p", "hang");
    await Promise.all(Array.from({ length: 50 }, () => codeOf(hostile, "p", 1)));
    expect(site.entry("p").circuits.of("transport.stdio").failures).toBe(0);
    // As long as the config gives a call of this plugin is long enough.
    await Promise.all(Array.from({ length: 50 }, () => codeOf(hostile, "p", 40)));
    expect(await codeOf(hostile, "p")).toBe(UNAVAILABLE);
    tell(site, "p", "");
    expect(await codes(20, site.operator, "p", 20_000)).toEqual(new Array(20).fill(0));
    expect(site.entry("p").circuits.troubles).toHaveLength(1);
    expect(await codeOf(hostile, "p")).toBe(UNAVAILABLE);
  });

  it("in one tool alone is called as before while it answers in others", async () => {
    const plugin = onFd("p", { TOOLS: "wait,echo" }, { ...circuit(), call_timeout_ms: 50 });
    const site = await open({ plugins: [plugin] });
    let meanwhile = 0;
    // A machine that stands still for as long as the slow calls may take answers nothing meanwhile: then they may take longer.
    for (let patienceMs = 300; meanwhile === 0; patienceMs *= 8) {
      await site.control({ $case: "reset", value: { plugin: "p" } });
      let ended = 0;
      const slow = Array.from({ length: 20 }, async () => {
        const code = await codeOf(site.operator, "wait", patienceMs);
        ended += 1;
        return code;
      });
      while (ended === 0) {
        const code = await codeOf(site.operator, "echo", 20_000);
        // All answers come on one connection, in the order in which the hub gave them.
        if (ended === 0) meanwhile += 1;
        if (meanwhile > 0) expect(code).toBe(0);
      }
      expect(new Set(await Promise.all(slow))).toEqual(new Set([DEADLINE]));
    }
    expect(site.entry("p").circuits.of("operator").isOpen).toBe(false);
  });

  it("is called all the same where its config says so", async () => {
    const site = await open({ plugins: [told("p", { ...circuit(1, 0), call_timeout_ms: 20 })] });
    tell(site, "p", "hang");
    expect(new Set(await Promise.all(Array.from({ length: 50 }, () => codeOf(site.operator, "p"))))).toEqual(
      new Set([DEADLINE]),
    );
  });
});

describe("what counts", () => {
  it("no error of a tool, and no call that its caller gave up", async () => {
    const plugin = onFd("p", { TOOLS: "fail,wait" }, circuit());
    const site = await open({ plugins: [plugin] });
    const { circuits, inFlight } = site.entry("p");
    for (let n = 0; n < 5; n += 1) {
      expect((await call(site.operator, "fail")).response).toMatchObject({ value: { errorMessage: "it broke" } });
      const gaveUp = new AbortController();
      const given = callUntil(gaveUp.signal, site.operator, "wait");
      await expect.poll(() => inFlight.calls).toBe(1);
      gaveUp.abort();
      await expect(given).rejects.toThrow();
      await expect.poll(() => inFlight.calls).toBe(0);
    }
    expect(circuits.of("operator").failures).toBe(0);
  });

  it("nothing of the end of a process, with however many calls in it", async () => {
    const site = await open({ plugins: [onFd("p", { TOOLS: "wait" }, circuit())] });
    const { supervised, inFlight, circuits } = site.entry("p");
    const calls = Promise.all(Array.from({ length: 20 }, () => codeOf(site.operator, "wait")));
    await expect.poll(() => inFlight.calls).toBe(20);
    process.kill(supervised.pid, "SIGKILL");
    expect(new Set(await calls)).toEqual(new Set([UNAVAILABLE]));
    expect([circuits.of("operator").failures, tales(site, "p")]).toEqual([0, []]);
  });
});

describe("another instance", () => {
  it("is not to blame for what the one before it still owes", async () => {
    const site = await open({ plugins: [told("p")] });
    const { circuits, inFlight } = site.entry("p");
    tell(site, "p", "hold");
    const late = Promise.all(Array.from({ length: 20 }, () => codeOf(site.operator, "p")));
    await expect.poll(() => inFlight.calls).toBe(20);
    await site.control({ $case: "upgrade", value: { plugin: "p" } });
    expect(inFlight.calls).toBe(20);
    tell(site, "p", "garbage");
    expect(new Set(await late)).toEqual(new Set([PROTOCOL]));
    expect(circuits.of("operator").failures).toBe(0);
  });

  it("that a call has started begins with a clean record", async () => {
    const site = await open({ plugins: [told("p", { ...circuit(), activation: "lazy" })] });
    const { supervised, circuits } = site.entry("p");
    tell(site, "p", "garbage");
    for (let round = 0; round < 3; round += 1) {
      // The first of them waits for the start.
      expect(await codes(4, site.operator, "p")).toEqual([PROTOCOL, PROTOCOL, PROTOCOL, UNAVAILABLE]);
      await supervised.stop("nobody needs it");
      expect(circuits.troubles).toEqual([]);
    }
  });
});
