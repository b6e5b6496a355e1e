import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tempDirectory } from "../test/small-hub.ts";
import { PluginProcess, ProcessGuard } from "./index.ts";
import { findMarked } from "./orphans/find-marked.ts";
import { instanceDigits } from "./orphans/hub-mark.ts";
import { shimmed } from "./orphans/launch-shim.ts";
import { recordPath } from "./orphans/run-record.ts";
import { isAlive } from "./processes/process-stat.ts";

const program = join(import.meta.dirname, "../test/fixtures/misbehave.sh");
const none = "not in this test";
const NO_CGROUPS = { kind: "none", kill: undefined, limits: { memory: none, cpu: none, processes: none } } as const;
const never = new AbortController().signal;
/** Far more than it takes: the machine of a test may be busy. */
const PATIENCE_MS = 60_000;

function launch(guard: ProcessGuard | undefined, name: string, lines: string[] = []): Promise<PluginProcess> {
  return PluginProcess.launch({
    id: name,
    command: [program, name],
    cwd: import.meta.dirname,
    env: { PATH: process.env["PATH"] ?? "" },
    guard,
    onLine: (line) => lines.push(line),
  });
}

async function guarded<T>(work: (guard: ProcessGuard, stateDir: string) => Promise<T>): Promise<T> {
  const stateDir = tempDirectory();
  const guard = new ProcessGuard({ stateDir, cgroups: NO_CGROUPS });
  try {
    return await work(guard, stateDir);
  } finally {
    await guard.close();
  }
}

describe("the end of a plugin", () => {
  it.each(["last-words", "holds-stderr"])("comes after its last line: %s", async (name) => {
    for (let round = 0; round < 20; round += 1) {
      const plugin = await launch(undefined, name);
      await plugin.exited;
      expect(plugin.stderrTail()).toEqual(["the last line"]);
      await plugin.end(0);
    }
  });

  it("is part of why it never was ready", async () => {
    const plugin = await launch(undefined, "last-words");
    await expect(plugin.ready(PATIENCE_MS, never)).rejects.toThrow("  | the last line");
    await expect(plugin.ready(PATIENCE_MS, never)).rejects.toThrow("  | the last line");
  });
});

describe.runIf(process.platform === "linux")("a guarded plugin", () => {
  it.each(["setsid", "double-fork", "ignores-term", "clears-environment", "daemon", "keeps-forking", "changes-title"])(
    "that %s is ended with all that came of it, and no other",
    async (name) => {
      await guarded(async (guard) => {
        const [plugin, neighbour] = await Promise.all([launch(guard, name), launch(guard, "setsid")]);
        await Promise.all([plugin.ready(PATIENCE_MS, never), neighbour.ready(PATIENCE_MS, never)]);
        const all = () => findMarked(guard.mark, { environ: true });
        const before = (await all()).filter(({ number }) => number === 1).map(({ pid }) => pid);
        await plugin.end(20);
        const left = await all();
        // The neighbour may have started more of its own meanwhile.
        expect(left.map(({ pid }) => pid)).toEqual(expect.arrayContaining(before));
        expect(left.filter(({ number }) => number !== 1)).toEqual([]);
        expect(isAlive(neighbour.pid)).toBe(true);
        await neighbour.end(20);
        expect(await all()).toEqual([]);
      });
    },
  );

  it.each(["PLAIN_NAME", "odd.name"])("gets the environment that it was given, and its mark: %s", async (name) => {
    await guarded(async (guard) => {
      const lines: string[] = [];
      const env = { PATH: process.env["PATH"] ?? "", [name]: "a'b\n$c" };
      const cwd = import.meta.dirname;
      const print = "console.log(JSON.stringify([process.env, process.cwd(), process.argv.slice(1)]))";
      const plugin = await PluginProcess.launch({
        id: "tools.x",
        command: [process.execPath, "-e", print, "--", "a b", "", "$(touch x)", "'"],
        cwd,
        env,
        guard,
        onLine: (line) => lines.push(line),
      });
      expect(await plugin.exited).toEqual({ code: 0, signal: null });
      await expect.poll(() => lines).toHaveLength(1);
      const { token } = guard.mark;
      const marks = { ORCHESTRATOR_HUB_TOKEN: token, ORCHESTRATOR_INSTANCE: `${token}/tools.x/0` };
      expect(JSON.parse(lines[0]!)).toEqual([{ ...env, ...marks }, cwd, ["a b", "", "$(touch x)", "'"]]);
    });
  });

  it.each([
    ["/nowhere/at-all", {}, /"\/nowhere\/at-all" was not found/],
    ["no-such-program-anywhere", {}, /was not found/],
    ["./plugin-process.test.ts", {}, /is not executable/],
    ["../src", {}, /"..\/src" is a directory, and not a program/],
    [process.execPath, { cwd: "/nowhere" }, /its directory "\/nowhere" is not there/],
    [process.execPath, { env: { BIG: "x".repeat(1024 * 1024) } }, /plugin "x".*are too long/],
    ["no-interpreter", {}, /the interpreter that the first line of "\/.*no-interpreter" names was not found/],
  ])("says why %s %o cannot be started", async (name, other, why) => {
    await guarded(async (guard, directory) => {
      writeFileSync(join(directory, "no-interpreter"), "#! /no/such/interpreter -x\n", { mode: 0o755 });
      const program = name === "no-interpreter" ? join(directory, name) : name;
      const common = { id: "x", cwd: import.meta.dirname, env: { PATH: "/usr/bin" }, onLine: () => {}, ...other };
      for (const by of [guard, undefined]) {
        const starts = PluginProcess.launch({ ...common, command: [program], guard: by });
        await expect(starts).rejects.toThrow(why);
      }
    });
  });

  it("never runs when its hub has died while it was being started", async () => {
    const file = join(tempDirectory(), "ran");
    const [shell, ...args] = shimmed(["touch", file], { digits: "1", env: {}, parent: process.pid + 1 });
    const child = spawn(shell, args, { stdio: "ignore" });
    expect(await once(child, "exit")).toEqual([125, null]);
    const [, ...rest] = shimmed(["touch", file], { digits: "1", env: {} });
    expect(await once(spawn(shell, rest, { stdio: "ignore" }), "exit")).toEqual([0, null]);
  });

  it("can be found by its environment where the shell cannot mark it", async () => {
    await guarded(async (guard) => {
      const plugin = await PluginProcess.launch({
        id: "x",
        command: ["sh", "-c", "setsid sleep 1000 & echo READY x >&2; wait"],
        cwd: "/",
        env: { PATH: process.env["PATH"] ?? "", "odd.name": "" },
        guard,
        onLine: () => {},
      });
      await plugin.ready(PATIENCE_MS, never);
      const found = async () => (await findMarked(guard.mark, { environ: true })).map(({ by }) => by);
      expect(await found()).toEqual(["environ", "environ"]);
      await expect.poll(async () => (await plugin.usage())?.processes).toBe(2);
      await plugin.end(20);
      expect(await found()).toEqual([]);
    });
  });

  it("shows what all of its processes use", async () => {
    await guarded(async (guard) => {
      const busy = "setsid sh -c 'while :; do :; done' & sleep 1000 & echo READY x >&2; wait";
      const plugin = await PluginProcess.launch({
        id: "busy",
        command: ["sh", "-c", busy],
        cwd: "/",
        env: { PATH: process.env["PATH"] ?? "" },
        guard,
        onLine: () => {},
      });
      await plugin.ready(PATIENCE_MS, never);
      await expect.poll(async () => (await plugin.usage())?.processes).toBe(3);
      // A busy loop among other work: some of a processor, never more than the machine has.
      await expect.poll(async () => (await plugin.usage())?.cpu).toBeGreaterThan(0.05);
      const use = (await guard.usage("busy"))!;
      expect(use.threads).toBe(3);
      expect(use.cpuMs).toBeGreaterThan(0);
      expect(use.rssBytes).toBeGreaterThan(500_000);
      expect(use.descriptors).toBeGreaterThanOrEqual(9);
      await plugin.end(20);
      expect(await plugin.usage()).toBeUndefined();
      expect(await guard.usage("busy")).toBeUndefined();
    });
  });
});

describe("ProcessGuard", () => {
  it("starts nothing before there is something to guard, and leaves nothing", async () => {
    const stateDir = tempDirectory();
    const guard = new ProcessGuard({ stateDir });
    expect(guard.guardianPid).toBe(0);
    const lock = join(stateDir, "a.lock");
    writeFileSync(lock, "");
    guard.file(lock);
    const { guardianPid } = guard;
    expect(isAlive(guardianPid)).toBe(process.platform === "linux");
    await guard.close();
    await guard.close();
    expect(isAlive(guardianPid)).toBe(false);
    const { existsSync } = await import("node:fs");
    expect(existsSync(recordPath(stateDir, guard.mark.token))).toBe(false);
    // Whoever ends in order removes its own locks.
    expect(existsSync(lock)).toBe(true);
  });

  it("counts instances on, and tells when the record cannot be written", async () => {
    const told: string[] = [];
    const file = join(tempDirectory(), "no-directory");
    writeFileSync(file, "");
    const guard = new ProcessGuard({ stateDir: file, cgroups: NO_CGROUPS, onTrouble: (text) => told.push(text) });
    const commands = [await guard.admit("a"), await guard.admit("a")].map((one) => one.wrap(["x"], {}).env);
    expect(commands.map((env) => env["ORCHESTRATOR_INSTANCE"])).toEqual([
      `${guard.mark.token}/a/0`,
      `${guard.mark.token}/a/1`,
    ]);
    expect(told).toHaveLength(1);
    expect(guard.warnings).toEqual(told);
    expect(told[0]).toMatch(/would stay behind/);
    expect(instanceDigits(guard.mark, 1)).toMatch(/0000001$/);
    await guard.close();
  });
});
