import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { isAlive } from "../src/testing/index.ts";
import { Site, service } from "./supervision.ts";

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "orchestrator-lazy-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const lazy = (more: Record<string, unknown> = {}) => service("a", { activation: "lazy", ...more });

describe("a lazy plugin", () => {
  it("is started once to learn what it offers, and never again but for a call", async () => {
    const path = directory();
    {
      await using site = await Site.open({ directory: path, plugins: [lazy()] });
      expect(site.supervised("a")).toMatchObject({ starts: 1, pid: 0 });
      expect(await site.status("a")).toMatchObject({
        state: "stopped",
        activation: "lazy",
        reason: "it starts with the first call",
      });
      expect(await site.tools()).toContain("a_who");
    }
    await using site = await Site.open({ directory: path, plugins: [lazy()] });
    expect(site.supervised("a").starts).toBe(0);
    expect(await site.status("a")).toMatchObject({
      state: "registered",
      version: "1.0.0",
      tools: expect.arrayContaining(["a_who"]),
    });
    expect(await site.tools()).toContain("a_who");
    // One start for all of them.
    const answers = await Promise.all(Array.from({ length: 100 }, () => site.call("a_who")));
    expect(answers.map(({ success }) => success)).toEqual(answers.map(() => true));
    expect(new Set(answers.map(({ result }) => result?.["pid"]))).toEqual(new Set([site.supervised("a").pid]));
    expect(site.supervised("a").starts).toBe(1);
    // Each was counted once, although it waited for the start before it went on.
    expect(await site.status("a")).toMatchObject({ callsTotal: 100, callsInFlight: 0 });
    await site.call("a_who");
    expect(await site.status("a")).toMatchObject({ callsTotal: 101 });
  });

  it("is asked anew when its program or its config changed, or what was kept is broken", {
    timeout: 60_000,
  }, async () => {
    const path = directory();
    const open = (more = {}) => Site.open({ directory: path, plugins: [lazy(more)] });
    const starts = async (more = {}) => {
      await using site = await open(more);
      return site.supervised("a").starts;
    };
    expect([await starts(), await starts()]).toEqual([1, 0]);
    expect([await starts({ config: { k: "v" } }), await starts({ config: { k: "v" } })]).toEqual([1, 0]);
    writeFileSync(join(path, "state", "offers", "a.json"), "{");
    expect([await starts(), await starts()]).toEqual([1, 0]);
  });

  it("is stopped when it has nothing to do, and no call is lost in between", async () => {
    await using site = await Site.open({ plugins: [lazy({ idle_stop_ms: 40 })] });
    const { supervised } = site.entry("a");
    let stops = 0;
    // Calls that come at any moment of its going to sleep.
    for (let n = 0; n < 12; n += 1) {
      expect((await site.call("a_who")).errorMessage).toBe("");
      // It may be over before anybody looks.
      await supervised.reached("stopped", ...(n % 3 === 0 ? [] : (["draining"] as const)));
      stops += 1;
      if (n % 3 === 2) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(supervised.starts).toBeGreaterThanOrEqual(stops);
    expect(supervised.crashes).toBe(0);
  });

  it("is not stopped while a call is under way, or while it listens", async () => {
    await using site = await Site.open({ plugins: [lazy({ idle_stop_ms: 40, allow: ["event:*"] })] });
    expect((await site.call("a_slow", { ms: 250 })).success).toBe(true);
    const { supervised } = site.entry("a");
    await supervised.reached("stopped");
    expect((await site.call("a_listen", { topic: "news" })).success).toBe(true);
    const { pid } = supervised;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(supervised.pid).toBe(pid);
  });

  it("answers each caller with the reason when it does not start", async () => {
    await using site = await Site.open({ plugins: [lazy({ idle_stop_ms: 40, restart: "never" })] });
    site.say("a", { refuse: "the schema is too new" });
    const answers = await Promise.all(Array.from({ length: 10 }, () => site.call("a_who")));
    for (const { error } of answers)
      expect(error).toMatchObject({ code: 8, message: expect.stringContaining("the schema is too new") });
    expect(site.supervised("a").state.name).toBe("failed");
    expect(await site.tools()).not.toContain("a_who");
    site.say("a", {});
    await site.control({ $case: "reset", value: { plugin: "a" } });
    expect((await site.call("a_who")).success).toBe(true);
  });

  it("is waited for no longer than the caller can", async () => {
    await using site = await Site.open({ plugins: [lazy()] });
    const late = await site.call("a_who", {}, 5);
    expect(late.errorCode).toBe("deadline_exceeded");
    expect(site.entry("a").inFlight.calls).toBe(0);
    await site.supervised("a").reached("ready");
  });

  it("is started after the lazy ones that it depends on", async () => {
    const base = service("base", { activation: "lazy" });
    await using site = await Site.open({ plugins: [base, lazy({ depends_on: ["base"] })] });
    expect((await site.call("a_who")).success).toBe(true);
    expect(site.supervised("base").state.name).toBe("ready");
  });
});

describe("health", () => {
  it("shows what a plugin says of itself, and tells when that changes", async () => {
    const health = { interval_ms: 20, timeout_ms: 60_000 };
    await using site = await Site.open({ plugins: [service("a", { health })] });
    await expect.poll(async () => (await site.status("a")).health).toBe("healthy");
    site.say("a", { health: "unhealthy" });
    await expect.poll(async () => (await site.status("a")).health).toBe("unhealthy");
    expect(await site.status("a")).toMatchObject({ state: "ready", healthMessage: "the disk is full" });
    expect(site.log("a").join("\n")).toContain("unhealthy: the disk is full");
    site.say("a", {});
    await expect.poll(async () => (await site.status("a")).health).toBe("healthy");
    expect(site.supervised("a").starts).toBe(1);
  });

  it("takes a plugin that is hard at work for alive, and one that hangs for dead", async () => {
    // The one that works has no quiet moment: it starts with its call, and is given no end while it has it.
    const busy = { interval_ms: 50, timeout_ms: 50, failures: 3, busy_ms: 86_400_000 };
    const idle = { interval_ms: 50, timeout_ms: 400, failures: 2 };
    const plugins = [service("a", { activation: "lazy", health: busy }), service("b", { health: idle })];
    await using site = await Site.open({ plugins });
    const answer = site.call("a_block");
    await site.supervised("b").reached("ready");
    const { pid } = site.supervised("b");
    process.kill(pid, "SIGSTOP");
    await expect.poll(async () => (await site.status("a")).health).toBe("unhealthy");
    const worker = site.supervised("a").pid;
    site.say("a", { release: true });
    expect((await answer).result).toEqual({ pid: worker });
    await expect.poll(() => site.log("a").join("\n")).toContain("it answers again");

    await expect.poll(() => site.supervised("b").pid).not.toBe(pid);
    await site.supervised("b").reached("ready");
    expect(site.log("b").join("\n")).toContain("checks in a row were not answered");
    await expect.poll(async () => (await site.call("b_who")).success).toBe(true);
    expect(isAlive(pid)).toBe(false);
  });
});
