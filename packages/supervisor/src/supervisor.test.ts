import { join } from "node:path";
import { ErrorCode, type HubError } from "@orchestrator/protocol";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import {
  type Attachment,
  Backoff,
  DEFAULT_HEALTH,
  DEFAULT_RESTART,
  LineSplitter,
  PluginProcess,
  type PluginState,
  type RestartPolicy,
  STDERR_TAIL_BYTES,
  StderrTail,
  SupervisedPlugin,
  startInOrder,
} from "./index.ts";
import { isAlive } from "./processes/process-stat.ts";
import { DEFAULT_STEPS } from "./supervised-plugin-options.ts";

const program = join(import.meta.dirname, "../test/fixtures/behave.mjs");
const running: SupervisedPlugin[] = [];

function supervise(
  behaviour: string,
  options: {
    restart?: Partial<RestartPolicy>;
    readyMs?: number;
    shutdown?: () => Promise<void>;
    termMs?: number;
    lines?: string[];
  } = {},
) {
  const states: PluginState[] = [];
  const detached: HubError[] = [];
  const plugin = new SupervisedPlugin({
    id: behaviour,
    launch: () =>
      PluginProcess.launch({
        id: behaviour,
        command: [process.execPath, program, behaviour],
        cwd: import.meta.dirname,
        env: {},
        onLine: (line) => options.lines?.push(line),
      }),
    attach: async (child, signal): Promise<Attachment> => {
      await child.ready(options.readyMs ?? 60_000, signal);
      return {
        lost: new Promise(() => {}),
        requestShutdown: options.shutdown ?? (() => Promise.resolve()),
        detach: (error) => detached.push(error),
      };
    },
    restart: { delaysMs: [1], ...options.restart },
    shutdownMs: 50,
    termMs: options.termMs ?? 100,
    onState: (state) => states.push(state),
  });
  running.push(plugin);
  return { plugin, states, detached };
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((plugin) => plugin.stop()));
});

describe("SupervisedPlugin", () => {
  it("starts, serves and stops", async () => {
    const { plugin, states, detached } = supervise("serves");
    expect((await plugin.start()).name).toBe("ready");
    const pid = plugin.pid;
    expect(isAlive(pid)).toBe(true);
    await plugin.stop();
    expect(isAlive(pid)).toBe(false);
    expect(states.map((state) => state.name)).toEqual(["starting", "ready", "draining", "stopped"]);
    expect(detached).toHaveLength(1);
    await plugin.stop();
  });

  it("fails with the last stderr lines when the process ends before it is ready", async () => {
    const { plugin } = supervise("exit-before-ready", { restart: { when: "never" } });
    const state = await plugin.start();
    if (state.name !== "failed") throw new Error(state.name);
    expect(state.error.code).toBe(ErrorCode.StartFailed);
    expect(state.error.message).toContain("exited with code 3 before it was ready");
    expect(state.error.message).toContain("cannot open the database");
  });

  it("gives up on a plugin that never gets ready, and ends its process", async () => {
    const { plugin } = supervise("never-ready", { readyMs: 50, restart: { maxCrashes: 2 } });
    await plugin.start();
    const state = await plugin.reached("failed");
    if (state.name !== "failed") throw new Error(state.name);
    expect(state.error.code).toBe(ErrorCode.StartFailed);
    expect(plugin.starts).toBe(3);
    expect(plugin.pid).toBe(0);
  });

  it("restarts a plugin that crashes", async () => {
    const { plugin, states } = supervise("ready-then-exit", { restart: { maxCrashes: 2 } });
    await plugin.start();
    const state = await plugin.reached("failed");
    if (state.name !== "failed") throw new Error(state.name);
    expect(state.error.code).toBe(ErrorCode.Unavailable);
    expect(state.error.message).toContain("exited with code 7");
    expect(states.filter(({ name }) => name === "ready")).toHaveLength(3);
    expect(states.filter(({ name }) => name === "backoff")).toHaveLength(2);
  });

  it("leaves a plugin alone that ended with code 0, unless told otherwise", async () => {
    const { plugin } = supervise("clean-exit");
    await plugin.start();
    await plugin.reached("stopped");
    expect(plugin.starts).toBe(1);
  });

  it("says what to do when the program is not there, and does not try again", async () => {
    const states: PluginState[] = [];
    const plugin = new SupervisedPlugin({
      id: "absent",
      launch: () =>
        PluginProcess.launch({ id: "absent", command: ["/no/such/program"], cwd: "/", env: {}, onLine: () => {} }),
      attach: () => Promise.reject(new Error("never reached")),
      restart: { when: "never" },
      onState: (state) => states.push(state),
    });
    const state = await plugin.start();
    if (state.name !== "failed") throw new Error(state.name);
    expect(state.error.code).toBe(ErrorCode.StartFailed);
    expect(state.error.message).toContain('"/no/such/program" was not found');
  });

  it("ends a plugin that ignores SIGTERM and never answers the shutdown request", async () => {
    const { plugin } = supervise("ignores-term", { shutdown: () => new Promise(() => {}) });
    await plugin.start();
    const pid = plugin.pid;
    await plugin.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it("gives one that does not answer the shutdown request the time to tidy up after SIGTERM", async () => {
    const lines: string[] = [];
    const { plugin } = supervise("tidies-up", { shutdown: () => new Promise(() => {}), termMs: 20_000, lines });
    await plugin.start();
    await plugin.stop();
    expect(lines.slice(-2)).toEqual(["tidying up", "tidied up"]);
  });

  it("has patience for 5 s, and 2 s more after SIGTERM, and looks every 5 s, unless told otherwise", () => {
    expect(DEFAULT_STEPS).toMatchObject({ shutdownMs: 5_000, termMs: 2_000 });
    expect(DEFAULT_HEALTH).toMatchObject({ intervalMs: 5_000, timeoutMs: 5_000, failures: 3 });
  });

  it("ends the plugin's own children with it", async () => {
    const lines: string[] = [];
    const { plugin } = supervise("grandchild", { lines });
    await plugin.start();
    const grandchild = Number(lines.find((line) => line.startsWith("grandchild "))!.slice("grandchild ".length));
    expect(isAlive(grandchild)).toBe(true);
    await plugin.stop();
    await expect.poll(() => isAlive(grandchild)).toBe(false);
  });

  it("reads stderr for ever", async () => {
    const lines: string[] = [];
    const { plugin } = supervise("megabyte-of-stderr", { lines });
    await plugin.start();
    await expect.poll(() => lines.includes("done writing")).toBe(true);
    expect(lines.filter((line) => line.length === 1023)).toHaveLength(1024);
  });

  it("survives megabytes without a line break", async () => {
    const { plugin } = supervise("no-line-break");
    expect((await plugin.start()).name).toBe("ready");
  });

  it("can be stopped while it starts and while it backs off", async () => {
    const starting = supervise("never-ready");
    const begun = starting.plugin.start();
    await starting.plugin.stop();
    expect((await begun).name).toBe("stopped");
    const backing = supervise("exit-before-ready", { restart: { delaysMs: [60_000] } });
    expect((await backing.plugin.start()).name).toBe("backoff");
    await backing.plugin.stop();
    expect(backing.plugin.state.name).toBe("stopped");
  });
});

describe("Backoff", () => {
  it("doubles, with jitter, and gives up after maxCrashes in the window", () => {
    const backoff = new Backoff(DEFAULT_RESTART, () => 1);
    const delays = Array.from({ length: 11 }, (_, index) => backoff.next(index, 0));
    expect(delays.slice(0, 6)).toEqual([800, 1600, 3200, 6400, 12800, 12800]);
    expect(delays[9]).toBe(12800);
    expect(delays[10]).toBeUndefined();
  });

  it("begins again after a life that held", () => {
    const backoff = new Backoff(DEFAULT_RESTART, () => 0);
    backoff.next(0, 0);
    expect(backoff.next(1, 0)).toBe(2000);
    expect(backoff.next(2, 120_000)).toBe(1000);
  });
});

describe("LineSplitter", () => {
  it("gives the same lines however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme" }).filter((s) => !/[\r\n]/.test(s))),
        fc.array(fc.nat(20)),
        (lines, cuts) => {
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
          const seen: string[] = [];
          const splitter = new LineSplitter((line) => seen.push(line));
          let at = 0;
          for (const cut of cuts) {
            splitter.push(bytes.subarray(at, at + cut));
            at = Math.min(bytes.length, at + cut);
          }
          splitter.push(bytes.subarray(at));
          splitter.end();
          expect(seen).toEqual(lines);
        },
      ),
    );
  });
});

describe("StderrTail", () => {
  it("keeps the end and no more than its limit", () => {
    const tail = new StderrTail();
    for (let i = 0; i < 10_000; i += 1) tail.push(`line ${i}`);
    const text = tail.lines().join("\n");
    expect(text.length).toBeLessThanOrEqual(STDERR_TAIL_BYTES);
    expect(text.endsWith("line 9999")).toBe(true);
  });
});

describe("startInOrder", () => {
  const items = (graph: Record<string, string[]>) =>
    new Map(Object.entries(graph).map(([id, dependsOn]) => [id, { dependsOn, value: id }]));

  it("starts dependencies first and independent ones together", async () => {
    const log: string[] = [];
    await startInOrder(items({ c: ["a", "b"], a: [], b: [] }), async (id) => {
      log.push(`+${id}`);
      await Promise.resolve();
      log.push(`-${id}`);
    });
    expect(log).toEqual(["+a", "+b", "-a", "-b", "+c", "-c"]);
  });

  it("refuses circles and unknown names before anything starts", async () => {
    const started: string[] = [];
    const start = async (id: string) => void started.push(id);
    await expect(startInOrder(items({ a: ["b"], b: ["a"] }), start)).rejects.toThrow("a → b → a");
    await expect(startInOrder(items({ a: ["x"] }), start)).rejects.toThrow('depends on "x"');
    expect(started).toEqual([]);
  });
});
