import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { startSmallHub, survivors, tempDirectory } from "../../test/small-hub.ts";
import { detectCgroups } from "../limits/cgroup-layout.ts";
import { isAlive } from "../processes/process-stat.ts";
import { findMarked } from "./find-marked.ts";
import { readRecords, recordPath } from "./run-record.ts";

const MISBEHAVIOURS = [
  "sits",
  "forks",
  "forks-and-ends",
  "setsid",
  "double-fork",
  "ignores-term",
  "closes-descriptors",
  "clears-environment",
  "changes-directory",
  "changes-title",
  "daemon",
  "keeps-forking",
];

const PATIENCE = { interval: 50 };
/** SIGHUP, SIGINT, SIGQUIT and SIGTERM, as the system shows the signals that a process does not heed. */
const TERMINAL_SIGNALS = (1n << 0n) | (1n << 1n) | (1n << 2n) | (1n << 14n);

describe.runIf(process.platform === "linux")("a hub that is killed", () => {
  // Without control groups, which leave nobody a way out.
  it("leaves nothing of any plugin, whatever it does", async () => {
    await using hub = await startSmallHub(tempDirectory(), "no-cgroups", ...MISBEHAVIOURS);
    const left = async () => {
      const found = await findMarked(hub, { environ: true });
      return MISBEHAVIOURS.filter((_name, index) => found.some(({ number }) => number === index));
    };
    expect(await left()).toEqual(MISBEHAVIOURS);
    await hub.kill();
    await expect.poll(left, PATIENCE).toEqual([]);
    await expect.poll(() => isAlive(hub.guardian), PATIENCE).toBe(false);
    expect(await survivors(hub)).toEqual([]);
  });

  it.runIf(detectCgroups().kill !== undefined)("leaves no control group", async () => {
    await using hub = await startSmallHub(tempDirectory(), "keeps-forking", "daemon", "makes-groups");
    const { directory } = detectCgroups().kill!;
    const groups = () => readdirSync(directory).filter((name) => name.includes(hub.token));
    expect(groups()).toHaveLength(3);
    expect(groups().filter((name) => existsSync(join(directory, name, "inner/most")))).toHaveLength(1);
    await hub.kill();
    await expect.poll(() => isAlive(hub.guardian), PATIENCE).toBe(false);
    expect(groups()).toEqual([]);
    expect(await survivors(hub)).toEqual([]);
  });

  it("leaves no socket, lock or record, but what took their place", async () => {
    const directory = tempDirectory();
    const [socket, lock, other] = ["hub.sock", "hub.lock", "other.json"].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    const server = createServer().listen(socket);
    onTestFinished(() => void server.close());
    writeFileSync(lock, "{}");
    writeFileSync(other, "of the old hub");
    await using hub = await startSmallHub(directory, "listens", `file:${socket}`, `file:${lock}`, `file:${other}`);
    const plugins = join(directory, "plugin.sock");
    expect(lstatSync(plugins).isSocket()).toBe(true);
    expect(existsSync(recordPath(directory, hub.token))).toBe(true);
    // The same name, and another file: a hub that was started meanwhile.
    writeFileSync(`${other}.new`, "of the new hub");
    renameSync(`${other}.new`, other);
    await hub.kill();
    await expect.poll(() => isAlive(hub.guardian), PATIENCE).toBe(false);
    expect([socket, lock, plugins, recordPath(directory, hub.token)].filter((path) => existsSync(path))).toEqual([]);
    expect(readFileSync(other, "utf8")).toBe("of the new hub");
  });

  it("leaves no lock from the moment on at which there is a record of it", async () => {
    const program = join(import.meta.dirname, "../../test/fixtures/small-hub.ts");
    for (let round = 0; round < 5; round += 1) {
      const directory = tempDirectory();
      const lock = join(directory, "hub.lock");
      writeFileSync(lock, "{}");
      const hub = spawn(process.execPath, [program, directory, `file:${lock}`], {
        stdio: ["pipe", "ignore", "inherit"],
      });
      const gone = once(hub, "exit");
      // Without a pause: the kill must come as soon as anything can be seen.
      while (hub.exitCode === null && readRecords(directory).records.length === 0) await nextTurn();
      hub.kill("SIGKILL");
      expect(await gone).toEqual([null, "SIGKILL"]);
      await expect.poll(() => existsSync(lock), PATIENCE).toBe(false);
    }
  });

  it("takes a hub along that one of its plugins runs, whose guardian ends its plugins in turn", async () => {
    const directory = tempDirectory();
    await using hub = await startSmallHub(directory, "no-cgroups", "hub");
    const [nested] = readRecords(join(directory, "nested")).records;
    expect((await survivors(nested!)).length).toBeGreaterThan(0);
    await hub.kill();
    await expect.poll(async () => [...(await survivors(hub)), ...(await survivors(nested!))], PATIENCE).toEqual([]);
    const records = () => readRecords(join(directory, "nested")).records.length;
    await expect.poll(records, PATIENCE).toBe(0);
  });

  it("does not harm another hub, or anybody else", async () => {
    const directory = tempDirectory();
    await using hub = await startSmallHub(directory, "no-cgroups", "setsid");
    await using neighbour = await startSmallHub(directory, "setsid", "clears-environment");
    const before = await survivors(neighbour);
    await hub.kill();
    await expect.poll(() => isAlive(hub.guardian), PATIENCE).toBe(false);
    expect(await survivors(hub)).toEqual([]);
    // Its plugins may have started more meanwhile.
    expect(await survivors(neighbour)).toEqual(expect.arrayContaining(before));
  });
});

describe.runIf(process.platform === "linux")("a guardian", () => {
  it("hears nothing of what is typed into the hub's terminal, and holds neither its directory nor its memory", async () => {
    await using hub = await startSmallHub(tempDirectory(), "sits");
    const status = () => readFileSync(`/proc/${hub.guardian}/status`, "utf8");
    // A shell that has just been started has not read its first line yet.
    const ignored = () => BigInt(`0x${/^SigIgn:\s+(\w+)$/m.exec(status())?.[1]}`);
    await expect.poll(() => ignored() & TERMINAL_SIGNALS, PATIENCE).toBe(TERMINAL_SIGNALS);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) process.kill(hub.guardian, signal);
    const [, session] = /^NSsid:\s+(\d+)$/m.exec(status()) ?? [];
    expect(Number(session)).toBe(hub.guardian);
    const rollup = readFileSync(`/proc/${hub.guardian}/smaps_rollup`, "utf8");
    const [, own] = /^Private_Dirty:\s+(\d+) kB$/m.exec(rollup) ?? [];
    expect(Number(own)).toBeLessThan(1024);
    await hub.kill();
    await expect.poll(() => survivors(hub), PATIENCE).toEqual([]);
  });

  it("that is killed is replaced by one that knows as much", async () => {
    const directory = tempDirectory();
    const lock = join(directory, "hub.lock");
    writeFileSync(lock, "{}");
    await using hub = await startSmallHub(directory, "setsid", `file:${lock}`);
    process.kill(hub.guardian, "SIGKILL");
    await expect.poll(async () => [0, hub.guardian].includes(await hub.askGuardian()), PATIENCE).toBe(false);
    const successor = await hub.askGuardian();
    await hub.kill();
    await expect.poll(() => isAlive(successor), PATIENCE).toBe(false);
    expect(await survivors(hub)).toEqual([]);
    expect(existsSync(lock)).toBe(false);
  });

  it("and what is left of plugins are looked after as soon as there are descriptors again", async () => {
    const program = join(import.meta.dirname, "../../test/fixtures/exhausted-hub.ts");
    const script = 'ulimit -n 200 && exec "$@"';
    const hub = spawn("sh", ["-c", script, "sh", process.execPath, program, tempDirectory()], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void hub.kill("SIGKILL"));
    let told = "";
    hub.stdout.on("data", (chunk: Buffer) => {
      told += chunk;
    });
    expect(await once(hub, "close")).toEqual([0, null]);
    const { troubles, left } = JSON.parse(told);
    expect(left).toEqual([]);
    expect(troubles).toContainEqual(expect.stringMatching(/cannot be seen what is left of plugin "daemon".*EMFILE/));
    expect(troubles).toContainEqual(expect.stringMatching(/^No guardian runs.*EMFILE/));
    expect(troubles.at(-1)).toBe("The hub has a guardian again");
  });
});
