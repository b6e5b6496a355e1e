import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  copyFileSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { restoreDatabase, Store } from "../src/index.ts";
import { OwnerLock } from "../src/writer/owner-lock.ts";
import { bytes, fixture, holder, type Scratch, scratch, text } from "./support.ts";

const NOW = new Date("2031-02-03T04:05:06.789Z");
const KEPT = "orchestra.db.before-20310203T040506Z";

/** A directory with a store whose entry "k" is "now", and a backup of it where "k" was "then". */
async function backedUp(): Promise<Scratch & { backup: string }> {
  const directory = await scratch();
  const backup = join(directory.path, "backup.db");
  await using store = await Store.open({ file: directory.file });
  await store.kv.set("p", "k", bytes("then"));
  await store.events.record({ plugin: "p", type: "started", details: {} });
  await store.backup(backup);
  await store.kv.set("p", "k", bytes("now"));
  return { ...directory, backup };
}

async function entry(file: string): Promise<string | undefined> {
  await using store = await Store.open({ file });
  return text(store.kv.get("p", "k")?.value);
}

/** Leaves the database with a log of changes that are nowhere else, as a hub that was killed does. */
async function killHolder(file: string): Promise<void> {
  const other = await holder("hold.ts", file, "of the log");
  await other.end("SIGKILL");
}

describe("a restore", () => {
  it("brings back what the backup holds, and keeps what was there", async () => {
    await using site = await backedUp();
    const before = readFileSync(site.backup);
    expect(await restoreDatabase({ file: site.file, backup: site.backup, now: NOW })).toEqual({
      entries: 1,
      events: 1,
      previous: join(site.path, KEPT),
    });
    expect(await entry(site.file)).toBe("then");
    expect(await entry(join(site.path, KEPT))).toBe("now");
    expect(readFileSync(site.backup)).toEqual(before);
    if (process.platform !== "win32") expect(statSync(site.file).mode & 0o077).toBe(0);
  });

  it("makes the database where there is none, and its directory", async () => {
    await using site = await backedUp();
    const file = join(site.path, "new", "orchestra.db");
    expect(await restoreDatabase({ file, backup: site.backup })).toMatchObject({ previous: undefined });
    expect(await entry(file)).toBe("then");
  });

  it("can be undone with what it kept, log and all, also twice in one second", async () => {
    await using site = await backedUp();
    await killHolder(site.file);
    expect(statSync(`${site.file}-wal`).size).toBeGreaterThan(0);
    await restoreDatabase({ file: site.file, backup: site.backup, now: NOW });
    expect(await entry(site.file)).toBe("then");
    const back = await restoreDatabase({ file: site.file, backup: join(site.path, KEPT), now: NOW });
    expect(back.previous).toBe(join(site.path, `${KEPT}-2`));
    await using store = await Store.open({ file: site.file });
    expect(text(store.kv.get("p", "k")?.value)).toBe("now");
    expect(store.kv.get("p", "of the log")).toBeDefined();
  });

  it("takes the place of a damaged database, and of a log without one", async () => {
    await using site = await backedUp();
    writeFileSync(site.file, "no database ".repeat(500));
    await expect(Store.open({ file: site.file })).rejects.toMatchObject({ code: ErrorCode.DataLoss });
    await restoreDatabase({ file: site.file, backup: site.backup, now: NOW });
    expect(await entry(site.file)).toBe("then");
    expect(readFileSync(join(site.path, KEPT), "utf8")).toBe("no database ".repeat(500));
    await killHolder(site.file);
    rmSync(site.file);
    await restoreDatabase({ file: site.file, backup: site.backup, now: NOW });
    expect(await entry(site.file)).toBe("then");
  });

  it("follows the link to a database, and replaces what it leads to", async () => {
    await using site = await backedUp();
    const link = join(site.path, "link.db");
    symlinkSync(site.file, link);
    expect(await restoreDatabase({ file: link, backup: site.backup, now: NOW })).toMatchObject({
      previous: join(site.path, KEPT),
    });
    expect(await entry(link)).toBe("then");
    expect(await entry(site.file)).toBe("then");
  });

  it("is cut off at the worst moment: the next start refuses to mix the two, and the next restore mends it", async () => {
    await using site = await backedUp();
    await killHolder(site.file);
    // As it is after the renaming, before the log is removed.
    const copy = join(site.path, "copy.db");
    await restoreDatabase({ file: copy, backup: site.backup });
    linkSync(site.file, join(site.path, "kept.db"));
    renameSync(copy, site.file);
    await expect(Store.open({ file: site.file })).rejects.toMatchObject({ code: ErrorCode.DataLoss });
    await restoreDatabase({ file: site.file, backup: site.backup });
    expect(await entry(site.file)).toBe("then");
  });
});

describe("a restore leaves nothing behind", () => {
  it("of one that was killed in the middle of its copy", async () => {
    await using site = await backedUp();
    const cutOff = join(site.path, ".orchestra.db.restoring");
    for (const path of [cutOff, `${cutOff}-journal`]) writeFileSync(path, "half of a copy");
    await restoreDatabase({ file: site.file, backup: site.backup, now: NOW });
    expect(readdirSync(site.path).sort()).toEqual(["backup.db", "orchestra.db", KEPT, "orchestra.db.lock"].sort());
    expect(await entry(site.file)).toBe("then");
  });

  it("that would be written into the backup's place: what the old database was about to take back", async () => {
    await using site = await backedUp();
    {
      using db = new DatabaseSync(site.file);
      db.exec("PRAGMA journal_mode = DELETE");
    }
    const child = spawn(process.execPath, [fixture("torn.ts"), site.file]);
    child.stderr.resume();
    await once(child, "close");
    expect(statSync(`${site.file}-journal`).size).toBeGreaterThan(0);
    await restoreDatabase({ file: site.file, backup: site.backup, now: NOW });
    expect(await entry(site.file)).toBe("then");
    await restoreDatabase({ file: site.file, backup: join(site.path, KEPT) });
    expect(await entry(site.file)).toBe("now");
  });

  it("where the name for what was there is half taken", async () => {
    await using site = await backedUp();
    await killHolder(site.file);
    writeFileSync(join(site.path, `${KEPT}-wal`), "of another day");
    const { previous } = await restoreDatabase({ file: site.file, backup: site.backup, now: NOW });
    expect(previous).toBe(join(site.path, `${KEPT}-2`));
    expect(readdirSync(site.path)).not.toContain(KEPT);
    expect(await entry(previous!)).toBe("now");
  });

  it("where it cannot put the copy in its place", async () => {
    await using site = await backedUp();
    const before = readdirSync(site.path).sort();
    rmSync(site.file);
    execFileSync("mkdir", ["-p", join(site.path, "orchestra.db-journal", "x")]);
    writeFileSync(site.file, "x");
    await expect(restoreDatabase({ file: site.file, backup: site.backup, now: NOW })).rejects.toThrow();
    expect(readdirSync(site.path).sort()).toEqual([...before, "orchestra.db-journal"].sort());
  });

  it("beside a backup that is a copy of a hub's own file, which nobody may write", async () => {
    await using site = await backedUp();
    const alone = join(site.path, "alone", "odd ?%41#.db");
    execFileSync("mkdir", [join(site.path, "alone")]);
    copyFileSync(site.file, alone);
    await restoreDatabase({ file: site.file, backup: alone });
    expect(readdirSync(join(site.path, "alone"))).toEqual(["odd ?%41#.db"]);
    expect(await entry(site.file)).toBe("now");
  });

  it.runIf(process.getuid?.() === 0)("that the hub's user cannot open, where the superuser restores", async () => {
    await using site = await backedUp();
    chownSync(site.file, 4_711, 4_712);
    await restoreDatabase({ file: site.file, backup: site.backup });
    expect(statSync(site.file)).toMatchObject({ uid: 4_711, gid: 4_712 });
  });
});

describe("a restore changes nothing", () => {
  it("while somebody else has the database, who is not the hub that was killed", async () => {
    await using site = await backedUp();
    await killHolder(site.file);
    const lock = OwnerLock.take(site.file);
    try {
      await expect(restoreDatabase({ file: site.file, backup: site.backup })).rejects.toMatchObject({
        code: ErrorCode.AlreadyExists,
        message: expect.stringContaining("in use by another process"),
      });
    } finally {
      lock.release();
    }
  });

  it("while a hub has the database", async () => {
    await using site = await backedUp();
    await using store = await Store.open({ file: site.file });
    await expect(restoreDatabase({ file: site.file, backup: site.backup })).rejects.toMatchObject({
      code: ErrorCode.AlreadyExists,
      message: expect.stringContaining(`process ${process.pid}`),
    });
    expect(text(store.kv.get("p", "k")?.value)).toBe("now");
  });

  it("in a dry run, which says what would come, also while a hub runs", async () => {
    await using site = await backedUp();
    await using _store = await Store.open({ file: site.file });
    const before = readdirSync(site.path).sort();
    const done = await restoreDatabase({ file: site.file, backup: site.backup, dryRun: true });
    expect(done).toEqual({ entries: 1, events: 1, previous: undefined });
    expect(readdirSync(site.path).sort()).toEqual(before);
  });

  const cases: readonly (readonly [string, (site: { file: string; backup: string }) => void, ErrorCode, RegExp])[] = [
    ["that is not there", ({ backup }) => rmSync(backup), ErrorCode.NotFound, /There is no backup/],
    ["that is cut off", ({ backup }) => truncateSync(backup, 5_000), ErrorCode.DataLoss, /^Backup ".*" is damaged/],
    ["that is no database", ({ backup }) => writeFileSync(backup, "x".repeat(9_999)), ErrorCode.DataLoss, /is damaged/],
    ["that is empty", ({ backup }) => writeFileSync(backup, ""), ErrorCode.FailedPrecondition, /is empty/],
    [
      "with a damaged page in its middle",
      ({ backup }) => {
        const all = readFileSync(backup);
        writeFileSync(backup, all.fill(0xa5, 3 * 4_096, 4 * 4_096));
      },
      ErrorCode.DataLoss,
      /is damaged/,
    ],
    [
      "of another program",
      ({ backup }) => {
        rmSync(backup);
        using db = new DatabaseSync(backup);
        db.exec("CREATE TABLE theirs (x)");
      },
      ErrorCode.FailedPrecondition,
      /another program/,
    ],
    [
      "that a newer program wrote",
      ({ backup }) => {
        using db = new DatabaseSync(backup);
        db.exec("PRAGMA user_version = 99");
      },
      ErrorCode.FailedPrecondition,
      /schema 99/,
    ],
    [
      "with the log of another database beside it",
      ({ backup }) => writeFileSync(`${backup}-wal`, "x".repeat(5_000)),
      ErrorCode.DataLoss,
      /log/,
    ],
    [
      "that is the database",
      ({ file, backup }) => {
        rmSync(backup);
        symlinkSync(file, backup);
      },
      ErrorCode.InvalidArgument,
      /is the database itself/,
    ],
    [
      "that is a directory",
      ({ backup }) => {
        rmSync(backup);
        execFileSync("mkdir", [backup]);
      },
      ErrorCode.FailedPrecondition,
      /^Backup ".*" is something else than a file/,
    ],
  ];
  it.each(cases)("for a backup %s", async (_what, prepare, code, message) => {
    await using site = await backedUp();
    prepare(site);
    copyFileSync(site.file, join(site.path, "same.db"));
    const before = readdirSync(site.path).sort();
    for (const dryRun of [true, false]) {
      await expect(restoreDatabase({ file: site.file, backup: site.backup, dryRun })).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
    }
    expect(
      readdirSync(site.path)
        .filter((name) => !name.endsWith(".lock"))
        .sort(),
    ).toEqual(before.filter((name) => !name.endsWith(".lock")));
    expect(readFileSync(site.file)).toEqual(readFileSync(join(site.path, "same.db")));
    expect(await entry(site.file)).toBe("now");
  });
});
