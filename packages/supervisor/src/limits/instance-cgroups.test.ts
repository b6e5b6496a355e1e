import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tempDirectory } from "../../test/small-hub.ts";
import { describeExit, PluginProcess, ProcessGuard } from "../index.ts";
import { detectCgroups } from "./cgroup-layout.ts";
import type { LimitName, ProcessLimits } from "./process-limits.ts";

const never = new AbortController().signal;
const here = detectCgroups();
/** Whether this machine lets this user set a limit. Controllers of version 2 cannot be tried without changing the test's own group. */
const canLimit = (name: LimitName) => typeof here.limits[name] === "object" && here.limits[name].version === 1;

async function launch(
  guard: ProcessGuard,
  limits: ProcessLimits,
  command: readonly [string, ...string[]],
): Promise<PluginProcess> {
  const env = { PATH: process.env["PATH"] ?? "" };
  return await PluginProcess.launch({ id: "limited", command, cwd: "/", env, guard, limits, onLine: () => {} });
}

/** A guard, closed at the end; then nothing of it may be left among the control groups. */
async function guarded(work: (guard: ProcessGuard) => Promise<void>): Promise<void> {
  const told: string[] = [];
  const guard = new ProcessGuard({ stateDir: tempDirectory(), onTrouble: (text) => told.push(text) });
  try {
    await work(guard);
  } finally {
    await guard.close();
  }
  expect(told).toEqual([]);
  const places = [here.kill, ...Object.values(here.limits)].filter((place) => typeof place === "object");
  const left = places.flatMap(({ directory }) =>
    readdirSync(directory).filter((name) => name.includes(guard.mark.token)),
  );
  expect(left).toEqual([]);
}

describe("limits, applied", () => {
  it.runIf(canLimit("memory"))("end a plugin that takes too much memory, and say so", async () => {
    await guarded(async (guard) => {
      const eat = "const held = []; for (;;) held.push(Buffer.alloc(8 << 20, 1));";
      const plugin = await launch(guard, { memoryBytes: 100 << 20 }, [process.execPath, "-e", eat]);
      const status = await plugin.exited;
      expect(describeExit(status)).toBe("was ended by SIGKILL: it reached its memory limit of 100 MiB");
      await plugin.end(0);
    });
  });

  it.runIf(canLimit("memory"))("name a child that was ended in its stead", async () => {
    await guarded(async (guard) => {
      const eat = "const held = []; for (;;) held.push(Buffer.alloc(8 << 20, 1));";
      const command = ["sh", "-c", '"$0" -e "$1" || exit 3', process.execPath, eat] as const;
      const plugin = await launch(guard, { memoryBytes: 100 << 20 }, command);
      expect(describeExit(await plugin.exited)).toBe(
        "exited with code 3: one of its processes was killed at the memory limit of 100 MiB",
      );
      await plugin.end(0);
    });
  });

  it.runIf(canLimit("processes"))("keep a plugin from forking without end, and nobody else", async () => {
    await guarded(async (guard) => {
      const fork = "i=0; while [ $i -lt 50 ]; do sleep 1000 & i=$((i + 1)); done; echo READY x >&2; wait";
      const plugin = await launch(guard, { processes: 10 }, ["sh", "-c", fork]);
      expect(describeExit(await plugin.exited)).toMatch(/exited with code \d+: it reached its limit of 10 processes/);
      await plugin.end(0);
      const neighbour = await launch(guard, { processes: 100 }, ["sh", "-c", fork]);
      await neighbour.ready(60_000, never);
      expect((await guard.usage("limited"))?.processes).toBe(51);
      await neighbour.end(0);
    });
  });

  it.runIf(canLimit("cpu"))("slow a plugin down that computes without end", async () => {
    await guarded(async (guard) => {
      const plugin = await launch(guard, { cpus: 0.2 }, ["sh", "-c", "echo READY x >&2; while :; do :; done"]);
      await plugin.ready(60_000, never);
      const directory = here.limits.cpu as { directory: string };
      const group = readdirSync(directory.directory).find((name) => name.includes(guard.mark.token))!;
      const throttled = () => {
        const text = readFileSync(join(directory.directory, group, "cpu.stat"), "utf8");
        return Number(/^nr_throttled (\d+)$/m.exec(text)?.[1]);
      };
      await expect.poll(throttled).toBeGreaterThan(3);
      await plugin.end(0);
    });
  });

  it.runIf(here.kill !== undefined)("contain a plugin where nothing limits it", async () => {
    await guarded(async (guard) => {
      const plugin = await launch(guard, {}, ["sh", "-c", "setsid sleep 1000 & echo READY x >&2; wait"]);
      await plugin.ready(60_000, never);
      const group = join(here.kill!.directory, `orchestrator-${guard.mark.token}-0`);
      expect(readFileSync(join(group, "cgroup.procs"), "utf8").trim().split("\n")).toHaveLength(2);
      await plugin.end(0);
      expect(existsSync(group)).toBe(false);
    });
  });

  it("that cannot be applied are told of, and the plugin runs all the same", async () => {
    const told: string[] = [];
    const why = "control groups are not mounted";
    const cgroups = { kind: "none", kill: undefined, limits: { memory: why, cpu: why, processes: why } } as const;
    const guard = new ProcessGuard({ stateDir: tempDirectory(), cgroups, onTrouble: (text) => told.push(text) });
    const plugin = await launch(guard, { memoryBytes: 1 << 30, processes: 5 }, ["sh", "-c", "exit 7"]);
    expect(describeExit(await plugin.exited)).toBe("exited with code 7");
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/runs without its limit of memory and processes: control groups are not mounted/);
    await guard.close();
  });
});
