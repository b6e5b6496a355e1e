import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { Plant } from "../test/plant.ts";
import { Rounds } from "./rounds.ts";

describe("a replacement", () => {
  it("takes over at one moment, and lets the old one finish its work", async () => {
    await using plant = new Plant();
    await plant.plugin.start();
    const [old] = plant.attachments;
    old!.inFlight = 1;
    const [pid] = plant.pids;
    await plant.plugin.replace("a new version");
    expect(plant.attachments.map(({ activated, retired }) => [activated, retired])).toEqual([
      [1, 1],
      [1, 0],
    ]);
    expect(plant.plugin.pid).toBe(plant.pids[1]);
    expect(plant.alive).toEqual(plant.pids);
    expect(old!.detached).toBe(0);
    old!.inFlight = 0;
    await expect.poll(() => old!.detached).toBe(1);
    expect(plant.alive).toEqual([plant.pids[1]]);
    expect(plant.stateNames).toEqual(["starting", "ready", "ready"]);
    expect(plant.details("upgraded")).toEqual({ reason: "a new version", pid: plant.pids[1], replaced: pid });
  });

  it.each([
    ["does not start", { error: new Error("no such table") }, "no such table"],
    ["exits at once", { command: "false" }, "exited with code 1"],
    ["says that it is unhealthy", { report: { status: "unhealthy", message: "no disk" } as const }, "no disk"],
    ["does not say how it is", { report: undefined }, "did not say within"],
  ])("that %s is undone, and the old one serves on", async (_what, flaw, reason) => {
    await using plant = new Plant({
      command: (start) => (start === 2 && "command" in flaw ? ["false"] : ["sleep", "1000"]),
      prepare: async (attachment, start) => {
        if (start !== 2) return;
        if ("error" in flaw) throw flaw.error;
        if ("report" in flaw) attachment.report = flaw.report;
        if ("command" in flaw) await attachment.process.ready(60_000, new AbortController().signal);
      },
      startTimeoutMs: reason === "did not say within" ? 100 : 60_000,
    });
    await plant.plugin.start();
    const { pid } = plant.plugin;
    await expect(plant.plugin.replace()).rejects.toThrow(reason);
    expect(plant.plugin.state.name).toBe("ready");
    expect(plant.plugin.pid).toBe(pid);
    expect(plant.alive).toEqual([pid]);
    expect(plant.attachments[0]).toMatchObject({ activated: 1, retired: 0, detached: 0 });
    expect(plant.details("rolled_back")?.["reason"]).toContain(reason);
  });

  it("serves at once when the old one crashes meanwhile", async () => {
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    await using plant = new Plant({
      prepare: async (_attachment, start) => {
        if (start !== 2) return;
        begun.resolve();
        await go.promise;
      },
    });
    await plant.plugin.start();
    const replaced = plant.plugin.replace();
    await begun.promise;
    process.kill(plant.pids[0]!, "SIGKILL");
    await plant.plugin.reached("starting");
    go.resolve();
    expect((await replaced).name).toBe("ready");
    expect(plant.plugin.starts).toBe(2);
    expect(plant.eventTypes).toEqual(["started", "ready", "started", "crashed", "ready", "upgraded"]);
    expect(plant.details("crashed")).toMatchObject({ reason: expect.stringContaining("SIGKILL"), crashes: 1 });
    expect(plant.plugin.crashes).toBe(1);
    await expect.poll(() => plant.alive).toEqual([plant.pids[1]]);
  });

  it("is cut short by a stop, which leaves neither", async () => {
    const begun = Promise.withResolvers<void>();
    await using plant = new Plant({
      prepare: (_attachment, start) => {
        if (start !== 2) return undefined;
        begun.resolve();
        return new Promise(() => {});
      },
    });
    await plant.plugin.start();
    const refused = expect(plant.plugin.replace()).rejects.toThrow("enough");
    await begun.promise;
    await plant.plugin.stop("enough");
    await refused;
    expect(plant.plugin.state.name).toBe("stopped");
    expect(plant.alive).toEqual([]);
  });

  it("goes on although the old one has nothing to do", async () => {
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    let looks = 0;
    await using plant = new Plant({
      prepare: async (_attachment, start) => {
        if (start !== 2) return;
        begun.resolve();
        await go.promise;
      },
      rounds: new Rounds(),
      idleStopMs: 40,
      activity: () => {
        looks += 1;
        // Idle only once the new one is on its way.
        return { isBusy: plant.plugin.starts < 2, total: 0 };
      },
    });
    await plant.plugin.start();
    const replaced = plant.plugin.replace();
    replaced.catch(() => {});
    await begun.promise;
    const before = looks;
    await expect.poll(() => looks > before + 8 || plant.plugin.state.name !== "ready").toBe(true);
    go.resolve();
    expect((await replaced).name).toBe("ready");
    expect(plant.plugin.pid).toBe(plant.pids[1]);
    // It has nothing to do, either.
    await plant.plugin.reached("stopped");
    expect(plant.alive).toEqual([]);
  });

  it("does not keep a stop waiting for the work of the old one", async () => {
    await using plant = new Plant();
    await plant.plugin.start();
    plant.attachments[0]!.inFlight = 1;
    await plant.plugin.replace();
    await plant.plugin.stop();
    expect(plant.alive).toEqual([]);
  });

  it("whose new instance crashes is told of at once, and the old one still finishes", async () => {
    await using plant = new Plant({ restart: { when: "never" } });
    await plant.plugin.start();
    plant.attachments[0]!.inFlight = 1;
    await plant.plugin.replace();
    process.kill(plant.pids[1]!, "SIGKILL");
    await plant.plugin.reached("failed");
    expect(plant.alive).toEqual([plant.pids[0]]);
    await plant.plugin.stop();
    expect(plant.alive).toEqual([]);
  });

  it("that is asked for twice happens twice, one after the other", async () => {
    await using plant = new Plant();
    await plant.plugin.start();
    await Promise.all([plant.plugin.replace("one"), plant.plugin.replace("two")]);
    expect(plant.pids).toHaveLength(3);
    await expect.poll(() => plant.alive).toEqual([plant.pids[2]]);
  });

  it("needs something to take over from", async () => {
    await using plant = new Plant();
    await expect(plant.plugin.replace()).rejects.toMatchObject({ code: ErrorCode.FailedPrecondition });
  });
});
