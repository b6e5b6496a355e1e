import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { findMarked, type HubMark, isAlive, type RunRecord, readRecords } from "@orchestrator/supervisor/internal";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { findHub, lockFile } from "../src/hub/state-file.ts";
import { programCommand } from "../src/program-path.ts";
import { Scratch } from "./hub.ts";
import { run } from "./run.ts";

const FULL = process.env["ORCHESTRATOR_SOAK"] === "full";
const ROUNDS = FULL ? 200 : 20;
const LEAST_ROUNDS = 5;
/** A machine with so much else to do that the rounds take longer than this has fewer of them: each is as long as a start takes there. */
const BUDGET_MS = FULL ? Number.POSITIVE_INFINITY : 200_000;
const SEED = Number(process.env["ORCHESTRATOR_SEED"] ?? 4);
/** Processes of a hub whose plugins are up, with their children. */
const ALL_UP = 30;
/** Twenty plugins start at once, and all of them are ended at once. */
const PATIENCE = { timeout: 60_000, interval: 20 };

const root = join(import.meta.dirname, "../../..");
const stranger = join(root, "packages/supervisor/test/fixtures/misbehave.sh");
const MISBEHAVIOURS = [
  ...["sits", "forks", "forks-and-ends", "setsid", "double-fork", "ignores-term", "closes-descriptors"],
  ...["clears-environment", "changes-directory", "changes-title", "daemon", "keeps-forking"],
];

/**
 * Plugins in Go and in Rust, where they are there: the tests of both say where they cannot be built.
 */
async function nativePlugins(): Promise<readonly { readonly id: string }[]> {
  const found: { id: string; binary: string; dialect?: string }[] = [];
  // The interop tests build it and leave it there; while they do, which may be now, there is no stamp.
  const go = join(root, ".tools/interop/bin/plain-plugin");
  if (existsSync(join(root, ".tools/interop/stamp")) && existsSync(go)) found.push({ id: "interop.plain", binary: go });
  const target = join(root, ".tools/unix-json/target");
  const cwd = join(root, "plugins/hello-unix-json-rust");
  const env = { ...process.env, CARGO_TARGET_DIR: target };
  const built = await promisify(execFile)("cargo", ["build", "--release", "--locked", "--quiet"], { cwd, env }).then(
    () => true,
    () => false,
  );
  const binary = join(target, "release", "hello-unix-json-rust");
  if (built) found.push({ id: "hello-unix-json-rust", binary, dialect: "unix-json" });
  return found;
}

const native = await nativePlugins();

/** Twenty plugins: ours, which fork; two in Python, each with its own way to speak; and programs that know nothing of hubs. */
function plugins(manner: "hangs" | "answers"): readonly object[] {
  const forking = Array.from({ length: 4 - native.length }, (_, index) => index + 1).map((number) => ({
    id: `tools.${number}`,
    binary: join(import.meta.dirname, "fixtures", "forking-plugin.ts"),
    env: { PLUGIN_ID: `tools.${number}` },
  }));
  const python = [
    { id: "hello.python", binary: join(root, "plugins/hello-python/hello.py") },
    { id: "hello.json", binary: join(root, "plugins/hello-unix-json-python/hello.py"), dialect: "unix-json" },
  ];
  const echo = [
    { id: "tools.echo", binary: join(import.meta.dirname, "fixtures", "echo-plugin.ts") },
    { id: "tools.dies", binary: join(import.meta.dirname, "fixtures", "dies-at-start.ts") },
  ];
  const strangers = MISBEHAVIOURS.map((name) => ({ id: name, command: [stranger, name, manner, "silent"], cwd: root }));
  return [...forking, ...python, ...native, ...echo, ...strangers];
}

/** A linear congruential generator: the same seed gives the same moments. @returns 0 to 1 */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * A control group around the hub, where this machine lets us make one: no process can leave it, so it tells what is left without
 * asking the hub's own marks.
 */
const fence = `/sys/fs/cgroup/pids/orchestrator-kill-test-${process.pid}`;
const isFenced = (() => {
  try {
    mkdirSync(fence);
    return existsSync(join(fence, "cgroup.procs"));
  } catch {
    return false;
  }
})();
const fenced = (): number[] =>
  isFenced
    ? readFileSync(join(fence, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number).filter(isAlive)
    : [];

afterAll(async () => {
  for (let tries = 0; isFenced && tries < 250; tries += 1) {
    try {
      rmdirSync(fence);
      return;
    } catch {
      await sleep(20);
    }
  }
});

function startHub(scratch: Scratch): ChildProcess {
  const command = programCommand(["serve", "--listen-addr", "localhost:0", "--workspace", scratch.workspace]);
  const log = openSync(join(scratch.path, "hub.log"), "w");
  const enter = isFenced ? `echo 0 > ${fence}/cgroup.procs; ` : "";
  const hub = spawn("sh", ["-c", `${enter}exec "$@"`, "sh", ...command], {
    cwd: scratch.workspace,
    env: scratch.env,
    stdio: ["ignore", "ignore", log],
  });
  closeSync(log);
  return hub;
}

describe.runIf(process.platform === "linux")("a hub with twenty plugins that is killed at any moment", () => {
  it(`leaves nothing behind, ${ROUNDS} times, and starts again at once`, { timeout: ROUNDS * 45_000 }, async () => {
    await using scratch = new Scratch();
    const stateDir = join(scratch.path, "state");
    const configure = (manner: "hangs" | "answers") => {
      const config = { plugins: plugins(manner), state_dir: stateDir, max_starts_at_once: 40 };
      writeFileSync(join(scratch.path, "plugins.yaml"), JSON.stringify(config));
    };
    const marks = new Map<string, HubMark>();
    const survivors = async () => {
      const found = await Promise.all([...marks.values()].map((mark) => findMarked(mark, { environ: true })));
      return [...new Set([...found.flat().map(({ pid }) => pid), ...fenced()])];
    };
    const next = random(SEED);
    let hub: ChildProcess | undefined;
    onTestFinished(() => void hub?.kill("SIGKILL"));
    let most = 0;
    // Some kills come before the hub listens, most while plugins start, some when all is up: that depends on the machine.
    let latestKillMs = 0;
    const until = performance.now() + BUDGET_MS;
    for (let round = 1; round <= ROUNDS && (round <= LEAST_ROUNDS || performance.now() < until); round += 1) {
      const killAtMs = Math.round(next() * latestKillMs);
      // Now and then the hub gets no further than asking programs what they are.
      configure(round % 5 === 0 ? "hangs" : "answers");
      const began = performance.now();
      hub = startHub(scratch);
      const note = () => {
        const { records } = readRecords(stateDir);
        for (const { token, digits } of records) marks.set(token, { token, digits });
        return records;
      };
      if (round === 1) {
        const up = async () => {
          note();
          return (await survivors()).length;
        };
        await expect.poll(up, PATIENCE).toBeGreaterThan(ALL_UP);
        latestKillMs = 1.3 * (performance.now() - began);
      } else await sleep(killAtMs);
      const records = note();
      most = Math.max(most, (await survivors()).length);
      const gone = once(hub, "exit");
      hub.kill("SIGKILL");
      const how = await gone;
      const log = readFileSync(join(scratch.path, "hub.log"), "utf8").slice(-2_000);
      expect(how, `round ${round}, seed ${SEED}: it ended by itself\n${log}`).toEqual([null, "SIGKILL"]);
      // It may have begun to write its record just now.
      const late = readRecords(stateDir).records;
      for (const { token, digits } of late) marks.set(token, { token, digits });
      await expect.poll(survivors, { ...PATIENCE, message: `round ${round}, killed after ${killAtMs} ms` }).toEqual([]);
      const files = () => left([...records, ...late]);
      await expect.poll(files, { ...PATIENCE, message: `round ${round}, killed after ${killAtMs} ms` }).toEqual([]);
      expect(findHub(scratch.workspace).is).not.toBe("running");
      for (const { token } of records) marks.delete(token);
    }
    // The plugins were really there, with their children.
    expect(most).toBeGreaterThan(ALL_UP);

    configure("answers");
    hub = startHub(scratch);
    const command = async (...args: string[]) =>
      (
        await run([...args, "--workspace", scratch.workspace, "--json"], { cwd: scratch.path, env: scratch.env })
      ).json();
    const good = ["tools.1", "tools.2", "hello.python", "hello.json", "tools.echo", ...native.map(({ id }) => id)];
    await expect.poll(() => findHub(scratch.workspace).is, PATIENCE).toBe("running");
    await expect
      .poll(async () => {
        const list = (await command("plugins")) as { id: string; state: string }[];
        return good.filter((id) => list.find((plugin) => plugin.id === id)?.state !== "ready");
      }, PATIENCE)
      .toEqual([]);
    expect(await command("call", "py_hello", "--arg", "name=Ada")).toMatchObject({
      text: expect.stringContaining("Ada"),
    });
    for (const { token, digits } of readRecords(stateDir).records) marks.set(token, { token, digits });
    const gone = once(hub, "exit");
    hub.kill("SIGTERM");
    expect(await gone).toEqual([0, null]);
    expect(await survivors()).toEqual([]);
    expect(existsSync(lockFile(scratch.workspace))).toBe(false);
    expect(readRecords(stateDir).records).toEqual([]);
  });
});

/** Files that a hub wrote down as its own and that are still there. The guardian removes them before it goes. */
function left(records: readonly RunRecord[]): string[] {
  const paths = records.flatMap(({ files, sockets }) => [...files.map(({ path }) => path), ...sockets]);
  return [...new Set(paths)].filter((path) => existsSync(path));
}
