import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Site, service } from "./supervision.ts";

const isFull = process.env["ORCHESTRATOR_SOAK"] === "full";

/** Less than a plugin may have under way: after a pause of the whole machine the calls must not come all at once. */
const MOST_AT_ONCE = 500;

/** Calls at a rate, until it is stopped; every answer is looked at. */
function traffic(site: Site, perSecond: number) {
  const failed: string[] = [];
  const pids = new Set<unknown>();
  const pending = new Set<Promise<void>>();
  let calls = 0;
  const one = async () => {
    calls += 1;
    // Some are under way for a while, so that each change meets calls that were begun before it.
    const slow = calls % 5 === 0;
    const answer = await site.call(slow ? "a_slow" : "a_who", slow ? { ms: 30 } : {});
    if (answer.success) pids.add(answer.result?.["pid"]);
    else failed.push(`${answer.errorCode} ${answer.errorMessage}`);
  };
  const begun = performance.now();
  const timer = setInterval(() => {
    while (calls < ((performance.now() - begun) / 1_000) * perSecond && pending.size < MOST_AT_ONCE) {
      const call = one().catch((error: unknown) => void failed.push(String(error)));
      pending.add(call);
      void call.then(() => pending.delete(call));
    }
  }, 2);
  return {
    failed,
    pids,
    get calls() {
      return calls;
    },
    /** However busy the machine is, that process has served before the next thing happens. */
    answeredBy: (pid: number) => expect.poll(() => pids.has(pid)).toBe(true),
    stop: async () => {
      clearInterval(timer);
      await Promise.all(pending);
    },
  };
}

describe("an upgrade", () => {
  const upgrades = isFull ? 100 : 20;

  it(`loses no call: 500 a second through ${upgrades} of them`, { timeout: 300_000 }, async () => {
    await using site = await Site.open({ plugins: [service("a")] });
    const calls = traffic(site, 500);
    await calls.answeredBy(site.supervised("a").pid);
    for (let n = 1; n <= upgrades; n += 1) {
      site.say("a", { version: `1.0.${n}` });
      await site.control({ $case: "upgrade", value: { plugin: "a" } });
      await calls.answeredBy(site.supervised("a").pid);
    }
    const { result } = await site.call("a_who");
    await calls.stop();
    expect(calls.failed).toEqual([]);
    expect(calls.calls).toBeGreaterThan(upgrades * 10);
    expect(result).toMatchObject({ version: `1.0.${upgrades}` });
    expect(calls.pids.size).toBe(upgrades + 1);
    expect((await site.status("a")).version).toBe(`1.0.${upgrades}`);
    expect(site.supervised("a").starts).toBe(upgrades + 1);
    // The old ones are gone.
    await expect.poll(() => processes(calls.pids)).toEqual([site.supervised("a").pid]);
  });

  it("that is no good is undone, with the reason, and no call notices", async () => {
    await using site = await Site.open({ plugins: [service("a")] });
    const { pid } = site.supervised("a");
    const calls = traffic(site, 200);
    for (const [words, reason] of [
      [{ refuse: "the schema is too new" }, "the schema is too new"],
      [{ health: "unhealthy" }, "the disk is full"],
    ] as const) {
      site.say("a", { version: "2.0.0", ...words });
      const upgrade = site.control({ $case: "upgrade", value: { plugin: "a" } });
      await expect(upgrade).rejects.toThrow(reason);
      // On a line of its own, so that nobody takes it for the new one's words.
      await expect(upgrade).rejects.toThrow(/^(?! {2}\|).*The instance that ran before serves on$/m);
    }
    await calls.stop();
    expect(calls.failed).toEqual([]);
    expect(site.supervised("a").pid).toBe(pid);
    expect((await site.status("a")).version).toBe("1.0.0");
    expect(site.log("a").join("\n")).toContain("rolled_back: ");
  });

  it("lets calls that were begun finish in the old process", async () => {
    await using site = await Site.open({ plugins: [service("a")] });
    const { pid } = site.supervised("a");
    const begun = site.call("a_hold");
    await expect.poll(() => site.entry("a").inFlight.calls).toBe(1);
    await site.control({ $case: "restart", value: { plugin: "a" } });
    expect((await site.call("a_who")).result).toEqual({ pid: site.supervised("a").pid, version: "" });
    expect(site.supervised("a").pid).not.toBe(pid);
    site.say("a", { release: true });
    expect((await begun).result).toEqual({ pid });
  });

  it("takes the subscriptions along: the new process hears, once, and the old one no more", async () => {
    await using site = await Site.open({ plugins: [service("a", { env: { LISTENS: "news" }, needs_events: ["*"] })] });
    const publisher = await site.test.connect("orchestrator-operator", undefined, "unix");
    const publish = async (n: number) => {
      const value = {
        topic: "news",
        eventType: "e",
        payload: { n },
        sourcePlugin: "",
        subscriptionId: "",
        timestamp: undefined,
      };
      const { request } = await import("../src/testing/index.ts");
      await request(publisher, { $case: "publish", value });
    };
    const heard = (n: number) => site.log("a").filter((line) => line.startsWith(`event news {"n":${n}}`));
    await publish(1);
    await expect.poll(() => heard(1).length).toBe(1);
    await site.control({ $case: "upgrade", value: { plugin: "a" } });
    const { pid } = site.supervised("a");
    await publish(2);
    await publish(3);
    await expect.poll(() => heard(3)).toEqual([`event news {"n":3} in ${pid}`]);
    expect(heard(2)).toEqual([`event news {"n":2} in ${pid}`]);
  });

  it("gives the new program its own rights, and takes them back when it is undone", async () => {
    await using site = await Site.open({ plugins: [service("a"), service("b")] });
    const nested = async () => (await site.call("a_ask", { tool: "b_who" })).errorMessage;
    expect(await nested()).toContain("may not use tool");
    site.say("a", { needs: ["b_who"], refuse: "not yet" });
    await expect(site.control({ $case: "upgrade", value: { plugin: "a" } })).rejects.toThrow("not yet");
    expect(await nested()).toContain("may not use tool");
    site.say("a", { needs: ["b_who"] });
    await site.control({ $case: "upgrade", value: { plugin: "a" } });
    expect(await nested()).toBe("");
    site.say("a", {});
    await site.control({ $case: "upgrade", value: { plugin: "a" } });
    expect(await nested()).toContain("may not use tool");
  });

  it("is a restart in place where the config says so; calls wait meanwhile", async () => {
    await using site = await Site.open({ plugins: [service("a", { restart_mode: "in_place" })] });
    const { pid } = site.supervised("a");
    const done = site.control({ $case: "upgrade", value: { plugin: "a" } });
    await site.supervised("a").reached("draining", "stopped");
    const answer = await site.call("a_who");
    await done;
    expect(answer.result).toEqual({ pid: site.supervised("a").pid, version: "" });
    expect(site.supervised("a").pid).not.toBe(pid);
  });

  it("in place loses no call either: of a plugin over QUIC, with calls under way", async () => {
    await using site = await Site.open({ plugins: [service("a", { env: { ORCHESTRATOR_LINK: "" } })] });
    expect(site.supervised("a").canReplace).toBe(false);
    const calls = traffic(site, 100);
    await calls.answeredBy(site.supervised("a").pid);
    for (let n = 1; n <= 3; n += 1) {
      const slow = site.call("a_slow", { ms: 300 });
      const { pid } = site.supervised("a");
      await expect.poll(() => site.entry("a").inFlight.calls).toBeGreaterThan(0);
      await site.control({ $case: "upgrade", value: { plugin: "a" } });
      expect((await slow).result).toEqual({ pid });
      await calls.answeredBy(site.supervised("a").pid);
    }
    await calls.stop();
    expect(calls.failed).toEqual([]);
    expect(calls.pids.size).toBe(4);
  });

  it("in place does not wait long for a call that hangs, and not at all when the hub stops", async () => {
    const plugins = [service("a", { restart_mode: "in_place", drain_ms: 200 })];
    await using site = await Site.open({ plugins, shutdownMs: 200 });
    const hung = site.call("a_slow", { ms: 60_000 });
    await expect.poll(() => site.entry("a").inFlight.calls).toBe(1);
    await site.control({ $case: "upgrade", value: { plugin: "a" } });
    expect((await hung).success).toBe(false);
    const last = site.call("a_slow", { ms: 60_000 }).catch(() => {});
    await expect.poll(() => site.entry("a").inFlight.calls).toBe(1);
    const restart = site.control({ $case: "upgrade", value: { plugin: "a" } }).catch(() => {});
    await site.supervised("a").reached("draining");
    await site.test.stop();
    await Promise.all([last, restart]);
    expect(site.supervised("a").pid).toBe(0);
  });

  it("in place does not end what serves for a program that cannot be run", async () => {
    await using site = await Site.open({ plugins: [service("b")] });
    const program = join(site.test.workspace, "a.sh");
    writeFileSync(
      program,
      `#!/bin/sh\nexec "${process.execPath}" "${join(import.meta.dirname, "fixtures", "service.ts")}" "$@"\n`,
    );
    chmodSync(program, 0o755);
    site.reconfigure([service("b"), service("a", { binary: program, restart_mode: "in_place" })]);
    await site.control({ $case: "reload", value: {} });
    await site.supervised("a").reached("ready");
    const { pid } = site.supervised("a");
    chmodSync(program, 0o644);
    await expect(site.control({ $case: "upgrade", value: { plugin: "a" } })).rejects.toThrow(
      /not executable.*The instance that ran before serves on/s,
    );
    expect(site.supervised("a").pid).toBe(pid);
    expect((await site.call("a_who")).result).toMatchObject({ pid });
  });
});

function processes(pids: ReadonlySet<unknown>): number[] {
  return [...(pids as ReadonlySet<number>)].filter((pid) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  });
}
