import { ErrorCode, HubError } from "@orchestrator/protocol";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { Plant, type TestAttachment } from "../test/plant.ts";
import { describeState } from "./plugin-state.ts";
import { isAlive } from "./processes/process-stat.ts";

const tick = () => new Promise((resolve) => setImmediate(resolve));

describe("a start during a stop", () => {
  it("waits for the stop, and then starts", async () => {
    await using plant = new Plant();
    await plant.plugin.start();
    const stopped = plant.plugin.stop("a stop");
    const started = await plant.plugin.start("after all");
    await stopped;
    expect(started.name).toBe("ready");
    expect(plant.stateNames).toEqual(["starting", "ready", "draining", "stopped", "starting", "ready"]);
    expect(plant.states[4]).toMatchObject({ reason: "after all" });
    expect(plant.alive).toEqual([plant.plugin.pid]);
  });

  it("is given up for a stop that is asked for later", async () => {
    await using plant = new Plant();
    await plant.plugin.start();
    const first = plant.plugin.stop("first");
    const started = plant.plugin.start();
    const second = plant.plugin.stop("second");
    await Promise.all([first, second]);
    expect((await started).name).toBe("stopped");
    expect(plant.alive).toEqual([]);
  });
});

describe("reasons", () => {
  it("stand in every state", async () => {
    await using plant = new Plant();
    await plant.plugin.start("the hub starts");
    await plant.plugin.restart("new config");
    await plant.plugin.stop("disabled by the operator");
    expect(plant.states.map((state) => ("reason" in state ? `${state.name}: ${state.reason}` : state.name))).toEqual([
      "starting: the hub starts",
      "ready: ",
      "draining: new config",
      "stopped: new config",
      "starting: new config",
      "ready: ",
      "draining: disabled by the operator",
      "stopped: disabled by the operator",
    ]);
  });
});

describe("crashes", () => {
  it("leave nothing behind on what outlives them", async () => {
    // A plugin may crash for weeks under one signal that ends it for good.
    const added = new Map<EventTarget, number>();
    const { addEventListener, removeEventListener } = EventTarget.prototype;
    const count = (target: EventTarget, by: number) => added.set(target, (added.get(target) ?? 0) + by);
    EventTarget.prototype.addEventListener = function (...args) {
      count(this, 1);
      return Reflect.apply(addEventListener, this, args);
    };
    EventTarget.prototype.removeEventListener = function (...args) {
      count(this, -1);
      return Reflect.apply(removeEventListener, this, args);
    };
    onTestFinished(() => void Object.assign(EventTarget.prototype, { addEventListener, removeEventListener }));
    await using plant = new Plant({ restart: { maxCrashes: Number.POSITIVE_INFINITY } });
    await plant.plugin.start();
    for (let crash = 1; crash <= 5; crash += 1) {
      process.kill(plant.plugin.pid, "SIGKILL");
      await plant.plugin.reached("backoff");
      await plant.plugin.reached("ready");
    }
    expect(Math.max(...added.values())).toBeLessThanOrEqual(1);
  });

  it("are counted, told and given up after too many; a reset begins anew", async () => {
    await using plant = new Plant({
      command: (start) => (start <= 3 ? ["sh", "-c", "echo out of coffee >&2; exit 1"] : ["sleep", "1000"]),
      restart: { maxCrashes: 2 },
    });
    await plant.plugin.start();
    expect((await plant.plugin.reached("failed")).name).toBe("failed");
    const types = plant.eventTypes.filter((type) => type === "crashed" || type === "backoff" || type === "failed");
    expect(types).toEqual(["crashed", "backoff", "crashed", "backoff", "crashed", "failed"]);
    expect(plant.details("failed")).toEqual({
      crashes: 3,
      reason: 'Plugin "test" exited with code 1',
      lastWords: "out of coffee",
    });
    expect(plant.plugin.crashes).toBe(3);
    expect((await plant.plugin.wake("a call")).name).toBe("failed");
    expect((await plant.plugin.reset()).name).toBe("ready");
    expect(plant.plugin.crashes).toBe(0);
    expect(plant.eventTypes.slice(-3)).toEqual(["reset", "started", "ready"]);
  });

  it.each([
    [
      "echo out of coffee >&2; exit 1",
      /^Plugin "test" exited with code 1; next start at \S+Z\. Its last words:\n {2}\| out of coffee$/,
    ],
    [
      "exit 1",
      /^Plugin "test" exited with code 1 before it was ready\. It wrote nothing to stderr; next start at \S+Z$/,
    ],
  ])("are told with the next try in the first line, and each thing once: %s", async (script, expected) => {
    const prepare = async (attachment: TestAttachment) => {
      if (script === "exit 1") await attachment.process.ready(60_000, new AbortController().signal);
    };
    await using plant = new Plant({ command: () => ["sh", "-c", script], prepare, restart: { delaysMs: [60_000] } });
    await plant.plugin.start();
    expect(describeState(await plant.plugin.reached("backoff"))).toMatch(expected);
  });

  it("are not what the machine lacks to start anything: that is tried again for as long as it takes", async () => {
    const prepare = (_attachment: unknown, start: number) => {
      const cause = Object.assign(new Error("spawn EMFILE"), { code: "EMFILE" });
      if (start <= 5) throw new HubError(ErrorCode.StartFailed, "Nothing to start it with", { cause });
    };
    await using plant = new Plant({ prepare, restart: { maxCrashes: 2 } });
    await plant.plugin.start();
    expect((await plant.plugin.reached("ready", "failed")).name).toBe("ready");
    expect(plant.plugin.crashes).toBe(0);
    expect(plant.eventTypes.filter((type) => type === "crashed")).toEqual([]);
    expect(plant.eventTypes.filter((type) => type === "backoff")).toHaveLength(5);
    expect(plant.details("backoff")?.["reason"]).toContain("Nothing to start it with");
  });

  it("that wait for the next try are cut short by a reset", async () => {
    const prepare = (_attachment: unknown, start: number) => {
      if (start === 1) throw new Error("not today");
    };
    await using plant = new Plant({ prepare, restart: { delaysMs: [3_600_000] } });
    expect((await plant.plugin.start()).name).toBe("backoff");
    expect((await plant.plugin.reset()).name).toBe("ready");
  });

  it("are followed by a start when it is the plugin's turn, which lasts until that start is over", async () => {
    const turns: (() => Promise<unknown>)[] = [];
    await using plant = new Plant({ command: () => ["false"], restartInTurn: (start) => void turns.push(start) });
    await plant.plugin.start();
    await expect.poll(() => turns).toHaveLength(1);
    expect([plant.plugin.state.name, plant.plugin.starts]).toEqual(["backoff", 1]);
    await turns[0]!();
    expect([plant.plugin.state.name, plant.plugin.starts]).toEqual(["ready", 2]);
    // A stop does not wait for a turn, and what comes of it later is nothing.
    await expect.poll(() => turns).toHaveLength(2);
    await plant.plugin.stop();
    await turns[1]!();
    expect([plant.plugin.state.name, plant.plugin.starts]).toEqual(["stopped", 2]);
  });

  it("are seen for what they were when the connection goes first", async () => {
    await using plant = new Plant({
      command: () => ["sh", "-c", "trap 'exit 0' TERM; echo READY x >&2; while :; do sleep 0.01; done"],
      prepare: async ({ process }) => void (await process.ready(60_000, new AbortController().signal)),
      restart: { when: "on-failure" },
    });
    await plant.plugin.start();
    plant.attachments[0]!.lose("gone");
    process.kill(plant.plugin.pid, "SIGTERM");
    // Without a turn of the loop: nobody has heard of the exit before the loss of the connection.
    while (isAlive(plant.pids[0]!));
    await plant.plugin.reached("stopped");
    expect(plant.details("stopped")?.["reason"]).toContain("exited with code 0");
    expect(plant.attachments[0]).toMatchObject({ retired: 1, detached: 1 });
  });

  it.each([
    ["always", "true", "ready"],
    ["on-failure", "true", "stopped"],
    ["on-failure", "false", "ready"],
    ["never", "false", "failed"],
    ["never", "true", "stopped"],
  ] as const)("restart %s after %s: %s", async (when, program, end) => {
    const command = (start: number) =>
      start === 1 ? (["sh", "-c", `sleep 0.05; ${program}`] as const) : (["sleep", "1000"] as const);
    await using plant = new Plant({ command, restart: { when } });
    await plant.plugin.start();
    await expect.poll(() => plant.plugin.state.name === end && plant.plugin.pid !== plant.pids[0]).toBe(true);
  });
});

/** What may follow what. */
const FOLLOWS: Readonly<Record<string, readonly string[]>> = {
  registered: ["starting", "stopped"],
  starting: ["ready", "draining", "backoff", "failed", "stopped"],
  ready: ["ready", "starting", "draining", "backoff", "failed", "stopped"],
  draining: ["stopped", "backoff", "failed"],
  backoff: ["starting", "stopped"],
  stopped: ["stopped", "starting"],
  failed: ["starting", "stopped"],
};

describe("any sequence of commands, crashes and pauses", () => {
  const commands = ["start", "wake", "stop", "restart", "replace", "reset", "kill", "tick", "pause", "settle"] as const;

  it("ends in what was asked for last, with no process too many", { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...commands), { minLength: 1, maxLength: 12 }),
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 12 }),
        async (sequence, whims) => {
          let turn: Promise<unknown> = Promise.resolve();
          const plant = new Plant({
            restartInTurn: (start) => {
              turn = turn.then(start);
            },
            // Some instances fail to start, some take a moment.
            prepare: async (_attachment, start) => {
              const whim = whims[start % whims.length];
              if (whim === 0) throw new Error("no luck");
              if (whim === 1) await new Promise((resolve) => setTimeout(resolve, 3));
            },
            restart: { maxCrashes: 1_000, delaysMs: [0, 2] },
            shutdownMs: 50,
          });
          const { plugin } = plant;
          const pending: Promise<unknown>[] = [];
          let wanted: string | undefined;
          for (const command of sequence) {
            if (command === "tick") await tick();
            else if (command === "pause") await new Promise((resolve) => setTimeout(resolve, 5));
            else if (command === "settle") await Promise.allSettled(pending);
            else if (command === "kill") {
              if (plugin.pid > 0) process.kill(plugin.pid, "SIGKILL");
            } else {
              pending.push(plugin[command]("by the test").catch(() => {}));
              // A replacement starts nothing where nothing runs, and stops nothing.
              if (command !== "replace") wanted = command === "stop" ? "stopped" : "ready";
            }
          }
          await Promise.all(pending);
          if (wanted === "ready" && !whims.every((whim) => whim === 0)) await plugin.reached("ready");
          if (wanted === "stopped") {
            expect(plugin.state.name).toBe("stopped");
            expect(plant.alive).toEqual([]);
          }
          await plugin.stop("the end");
          expect(plugin.state.name).toBe("stopped");
          expect(plant.alive).toEqual([]);
          for (const attachment of plant.attachments) {
            expect(attachment.detached).toBe(1);
            expect(attachment.activated).toBeLessThanOrEqual(1);
          }
          plant.stateNames.reduce((previous, next) => {
            expect(FOLLOWS[previous], `${previous} → ${next}`).toContain(next);
            return next;
          }, "registered");
        },
      ),
      { numRuns: process.env["ORCHESTRATOR_SOAK"] === "full" ? 2_000 : 120 },
    );
  });
});
