import type { PluginResponse } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { operatorPeer, request } from "../src/testing/index.ts";
import { hubsOfTests } from "./hubs.ts";
import { fixture } from "./plugins.ts";

/** What each of them does to a call, and the codes of what its callers may hear. */
const BAD: Readonly<Record<string, readonly number[]>> = {
  "exit-mid-call": [8],
  garbage: [12],
  "wrong-member": [12],
  "seventeen-mebibytes": [8, 11, 12],
  twice: [0],
  "wrong-id": [0],
  "flood-stderr": [0],
  "ignores-term": [0],
  // Where limits hold, it is ended when it has too much.
  leaks: [0],
};
const LEAK_LIMIT = { limits: { memory: "160M" } };
const HANGS = "hangs";
const ROUNDS = 12;

const start = hubsOfTests({ shutdownMs: 200, termMs: 200 });

const toolOf = (behaviour: string) => behaviour.replaceAll("-", "_");
const codeOf = (response: PluginResponse) => response.error?.code ?? 0;

describe.each(["quic", "fd"])("plugins that do everything wrong at once, over %s", (link) => {
  it("cost nothing but their own calls", async () => {
    const bad = Object.keys(BAD).map((behaviour) =>
      fixture(
        `bad.${behaviour}`,
        { LINK: link, BEHAVIOUR: behaviour, TOOLS: toolOf(behaviour) },
        behaviour === "leaks" ? LEAK_LIMIT : {},
      ),
    );
    const hub = await start({
      plugins: [
        fixture("tools.healthy", { LINK: link, TOOLS: "whoami" }),
        fixture("bad.hangs", { LINK: link, TOOLS: "wait" }),
        ...bad,
      ],
      restart: { when: "always", delaysMs: [1], maxCrashes: Number.POSITIVE_INFINITY },
    });
    const operator = await operatorPeer(hub);
    const call = (toolName: string, timeoutMs = 20_000) => {
      const value = { toolName, arguments: {}, callerPlugin: "", sessionId: "", provider: "", traceParent: "" };
      return request(operator, { $case: "toolCall", value }, { timeoutMs });
    };
    let storm = true;
    const heard = new Map<string, Set<number>>();
    const note = (name: string, code: number) => heard.set(name, (heard.get(name) ?? new Set()).add(code));
    const storms = Object.keys(BAD).map(async (behaviour) => {
      for (let round = 0; round < ROUNDS; round += 1) note(behaviour, codeOf(await call(toolOf(behaviour))));
    });
    storms.push(
      (async () => {
        for (let round = 0; round < ROUNDS; round += 1) note(HANGS, codeOf(await call("wait", 50)));
      })(),
    );
    const healthy = (async () => {
      let calls = 0;
      for (; storm; calls += 1) expect(codeOf(await call("whoami"))).toBe(0);
      return calls;
    })();
    await Promise.all(storms);
    storm = false;
    expect(await healthy).toBeGreaterThan(ROUNDS);

    for (const [behaviour, codes] of Object.entries(BAD)) {
      // One that is being started again is away, which is a clear answer too.
      const allowed = new Set([...codes, 8]);
      for (const code of heard.get(behaviour)!) expect(allowed, `${behaviour} was answered ${code}`).toContain(code);
      expect(
        [...heard.get(behaviour)!].some((code) => codes.includes(code)),
        behaviour,
      ).toBe(true);
    }
    expect(heard.get(HANGS)).toEqual(new Set([6]));
    const leaking = hub.hub.plugins.find(({ id }) => id === "bad.leaks")!;
    const isLimited = !hub.hub.status().problems.some((problem) => problem.includes("bad.leaks"));
    if (isLimited) await expect.poll(() => leaking.supervised.starts).toBeGreaterThan(1);
    expect(hub.hub.status().callsInFlight).toBe(0);
    const steady = hub.hub.plugins.find(({ id }) => id === "tools.healthy")!;
    expect([steady.supervised.starts, steady.isReady]).toEqual([1, true]);
  });
});
