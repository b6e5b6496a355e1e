import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type SmallHub, startSmallHub, survivors, tempDirectory } from "../../test/small-hub.ts";
import { ownIdentity } from "../processes/process-identity.ts";
import { isAlive } from "../processes/process-stat.ts";
import { createHubMark } from "./hub-mark.ts";
import { type RunRecord, recordPath, runsDirectory, stampOf, writeRecord } from "./run-record.ts";
import { sweepLeftovers } from "./sweep-leftovers.ts";

const nothing = { hubs: 0, processes: 0, files: 0, problems: [] };

/** Nobody to guard is left: both are killed at once, as by a power cut that spares the plugins. */
async function killWithGuardian(hub: Pick<SmallHub, "process" | "guardian" | "kill">): Promise<void> {
  // It would be replaced at once.
  hub.process.kill("SIGSTOP");
  process.kill(hub.guardian, "SIGKILL");
  await hub.kill();
}

describe.runIf(process.platform === "linux")("sweepLeftovers", () => {
  it("ends what a hub and its guardian left behind, and is done before the next hub makes anything", async () => {
    const directory = tempDirectory();
    const lock = join(directory, "hub.lock");
    writeFileSync(lock, "{}");
    const plugins = ["daemon", "clears-environment", "keeps-forking", "ignores-term", "listens"];
    await using hub = await startSmallHub(directory, "no-cgroups", ...plugins, `file:${lock}`);
    await killWithGuardian(hub);
    expect((await survivors(hub)).length).toBeGreaterThan(plugins.length);
    const report = await sweepLeftovers(directory);
    expect(report).toMatchObject({ hubs: 1, files: 2, problems: [] });
    expect(report.processes).toBeGreaterThan(plugins.length);
    expect(await survivors(hub)).toEqual([]);
    expect(readdirSync(directory).sort()).toEqual(["runs"]);
    expect(readdirSync(runsDirectory(directory))).toEqual([]);
    expect(await sweepLeftovers(directory)).toEqual(nothing);
  });

  it("relieves a guardian that is still at work", async () => {
    const directory = tempDirectory();
    await using hub = await startSmallHub(directory, "setsid");
    await hub.kill();
    expect(await sweepLeftovers(directory)).toMatchObject({ hubs: 1, problems: [] });
    expect(isAlive(hub.guardian)).toBe(false);
    expect(await survivors(hub)).toEqual([]);
  });

  it("leaves a living hub alone, that shares the directory", async () => {
    const directory = tempDirectory();
    await using alive = await startSmallHub(directory, "setsid", "listens");
    await using dead = await startSmallHub(directory, "setsid");
    const before = (await survivors(alive)).sort();
    await killWithGuardian(dead);
    expect(await sweepLeftovers(directory)).toMatchObject({ hubs: 1, problems: [] });
    expect(await survivors(alive)).toEqual(expect.arrayContaining(before));
    expect(isAlive(alive.guardian)).toBe(true);
    expect(existsSync(join(directory, "plugin.sock"))).toBe(true);
    expect(existsSync(recordPath(directory, alive.token))).toBe(true);
    expect(await survivors(dead)).toEqual([]);
  });

  it("kills nobody who only has the process id of an old hub or of its plugins", async () => {
    const directory = tempDirectory();
    const stranger = spawn("sleep", ["1000"], { stdio: "ignore" });
    const { pid: _, ...own } = ownIdentity();
    const hub = { ...own, pid: stranger.pid!, startTime: "1" };
    writeRecord(directory, { ...createHubMark(), hub, files: [], sockets: [], cgroups: [] });
    expect(await sweepLeftovers(directory)).toEqual({ ...nothing, hubs: 1 });
    expect(isAlive(stranger.pid!)).toBe(true);
    stranger.kill();
    await once(stranger, "exit");
  });

  it("after a boot removes files and looks for no processes", async () => {
    const directory = tempDirectory();
    await using hub = await startSmallHub(directory, "setsid");
    const before = (await survivors(hub)).sort();
    // As if the hub that lives had been written down before a boot; its processes show whether anybody looks.
    const record = JSON.parse(readFileSync(recordPath(directory, hub.token), "utf8")) as RunRecord;
    const [lock, replaced] = [join(directory, "a.lock"), join(directory, "b.lock")];
    for (const path of [lock, replaced]) writeFileSync(path, "");
    const files = [
      { path: lock, stamp: stampOf(lock)! },
      { path: replaced, stamp: "1:2:3" },
    ];
    writeRecord(directory, { ...record, files, hub: { ...record.hub, boot: "another" } });
    expect(await sweepLeftovers(directory)).toEqual({ ...nothing, hubs: 1, files: 1 });
    expect(existsSync(lock)).toBe(false);
    expect(existsSync(replaced)).toBe(true);
    expect(await survivors(hub)).toEqual(expect.arrayContaining(before));
  });

  it("leaves records of other machines and containers, and passes over what it cannot read or trust", async () => {
    const directory = tempDirectory();
    const own = ownIdentity();
    const lock = join(directory, "hub.lock");
    writeFileSync(lock, "");
    const rest = { files: [{ path: lock, stamp: stampOf(lock)! }], sockets: [], cgroups: [] };
    const hubs = [
      { ...own, machine: "elsewhere", boot: "another" },
      { ...own, pidNamespace: "pid:[1]" },
    ];
    for (const hub of hubs) writeRecord(directory, { ...createHubMark(), hub: { ...hub, pid: 2 ** 22 + 1 }, ...rest });
    // Anybody could have written this one.
    const open = { ...createHubMark(), hub: { ...own, boot: "another" }, ...rest };
    writeFileSync(recordPath(directory, open.token), JSON.stringify(open), { mode: 0o666 });
    const { chmodSync } = await import("node:fs");
    chmodSync(recordPath(directory, open.token), 0o666);
    writeFileSync(join(runsDirectory(directory), "half.json"), '{"token":');
    writeFileSync(join(runsDirectory(directory), "empty.json"), "");
    expect(await sweepLeftovers(directory)).toEqual(nothing);
    expect(readdirSync(runsDirectory(directory))).toHaveLength(5);
    expect(existsSync(lock)).toBe(true);
  });

  it("knows its machine by the boot, whatever its name is by now", async () => {
    const directory = tempDirectory();
    await using hub = await startSmallHub(directory, "no-cgroups", "daemon");
    await killWithGuardian(hub);
    const record = JSON.parse(readFileSync(recordPath(directory, hub.token), "utf8")) as RunRecord;
    writeRecord(directory, { ...record, hub: { ...record.hub, machine: "its-name-before" } });
    expect(await sweepLeftovers(directory)).toMatchObject({ hubs: 1, problems: [] });
    expect(await survivors(hub)).toEqual([]);
  });

  it("is not held up by what is no file among the records, nor by what cannot be removed", async () => {
    const directory = tempDirectory();
    await using hub = await startSmallHub(directory, "no-cgroups", "daemon");
    await killWithGuardian(hub);
    const runs = runsDirectory(directory);
    const old = new Date(Date.now() - 120_000);
    mkdirSync(join(runs, "a-directory.json"));
    // Whoever opens it to read waits until somebody writes.
    execFileSync("mkfifo", [join(runs, `${"a".repeat(32)}.json`)]);
    for (const name of readdirSync(runs)) utimesSync(join(runs, name), old, old);
    const { hubs, problems } = await sweepLeftovers(directory);
    expect(hubs).toBe(1);
    expect(problems).toEqual([expect.stringContaining("a-directory.json")]);
    expect(await survivors(hub)).toEqual([]);
    expect(readdirSync(runs)).toEqual(["a-directory.json"]);
  });

  it("has nothing to do where no hub has ever run", async () => {
    const directory = join(tempDirectory(), "missing");
    expect(await sweepLeftovers(directory)).toEqual(nothing);
    mkdirSync(directory);
    expect(await sweepLeftovers(directory)).toEqual(nothing);
  });
});
