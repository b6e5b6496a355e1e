import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { Store } from "../src/index.ts";
import { bytes, fixture, holder, scratch, testStore, text } from "./support.ts";

describe("a disk without room", () => {
  it("refuses what does not fit, loses nothing, and works again once there is room", async () => {
    await using store = await testStore({ maxFileBytes: 400_000 });
    const written = await fill(store);
    expect(written.length).toBeGreaterThan(10);
    expect(written.filter((key) => store.kv.get("p", key)?.value.length !== 10_000)).toEqual([]);
    expect(store.kv.usage("p").entries).toBe(written.length);
    for (const key of written.slice(0, 20)) await store.kv.delete("p", key);
    await store.kv.set("p", "again", new Uint8Array(10_000));
    expect(store.kv.get("p", "again")?.value.length).toBe(10_000);
  });

  it("writes what fits of a transaction that does not fit as a whole", async () => {
    await using store = await testStore({ maxFileBytes: 400_000 });
    await store.kv.set("p", "small", bytes("1"));
    const [small, large, event] = await Promise.allSettled([
      store.kv.set("p", "small", bytes("2")),
      store.kv.set("p", "large", new Uint8Array(900_000)),
      store.events.record({ plugin: "p", type: "full" }),
    ]);
    expect([small.status, large.status, event.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(text(store.kv.get("p", "small")?.value)).toBe("2");
    expect(store.kv.usage("p")).toEqual({ entries: 1, bytes: 6 });
  });

  it.skipIf(!canMount())("is no different where it is a real one", async () => {
    await using directory = await scratch();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1500k", "store-test", directory.path]);
    try {
      const ballast = join(directory.path, "ballast");
      writeFileSync(ballast, Buffer.alloc(300_000, 1));
      await using store = await Store.open({ file: directory.file });
      const written = await fill(store);
      expect(written.length).toBeGreaterThan(10);
      const target = join(directory.path, "backup.db");
      await expect(store.backup(target)).rejects.toMatchObject({ code: ErrorCode.ResourceExhausted });
      expect(() => statSync(target)).toThrow();
      expect(written.filter((key) => store.kv.get("p", key)?.value.length !== 10_000)).toEqual([]);
      rmSync(ballast);
      await store.kv.set("p", "again", new Uint8Array(10_000));
      await store.events.record({ plugin: "p", type: "again" });
      expect(store.kv.usage("p").entries).toBe(written.length + 1);
    } finally {
      execFileSync("umount", [directory.path]);
    }
  });

  it.skipIf(!canMount())("lets what is there be changed and removed while it is full", async () => {
    await using directory = await scratch();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=12m", "store-test", directory.path]);
    try {
      const keys = Array.from({ length: 200 }, (_, index) => `k${index}`);
      const value = new Uint8Array(900);
      const writeAll = (to: Store) => Promise.all(keys.map((key) => to.kv.set("p", key, value)));
      {
        await using before = await Store.open({ file: directory.file });
        await writeAll(before);
      }
      await using store = await Store.open({ file: directory.file });
      await writeAll(store);
      expect(() => writeFileSync(join(directory.path, "ballast"), Buffer.alloc(13_000_000))).toThrow("ENOSPC");
      // More than the log has room for, again and again.
      for (let round = 0; round < 20; round++) await writeAll(store);
      await Promise.all(keys.slice(1).map((key) => store.kv.delete("p", key)));
      expect(store.kv.usage("p")).toEqual({ entries: 1, bytes: 902 });
    } finally {
      execFileSync("umount", [directory.path]);
    }
  });

  /** Writes until there is no room. @returns the keys of everything that was answered */
  async function fill(store: Store): Promise<string[]> {
    const written: string[] = [];
    for (let index = 0; index < 2_000; index++) {
      try {
        const key = `k${index}`;
        await store.kv.set("p", key, new Uint8Array(10_000));
        written.push(key);
      } catch (error) {
        expect(error).toMatchObject({
          code: ErrorCode.ResourceExhausted,
          retryable: true,
          message: expect.stringContaining(store.file),
        });
        return written;
      }
    }
    throw new Error("The disk was never full");
  }
});

describe("a damaged file", () => {
  it("is refused by name, says what to try, and stays as it was", async () => {
    await using directory = await scratch();
    for (const contents of [
      "This is no database at all. ".repeat(200),
      "SQLite format 3\0".padEnd(5_000, "x"),
      "short",
    ]) {
      writeFileSync(directory.file, contents);
      const error = await Store.open({ file: directory.file }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code: ErrorCode.DataLoss,
        message: expect.stringMatching(/orchestra\.db" is damaged .*restore.*move the file away.*-wal and -shm/),
      });
      expect(readFileSync(directory.file, "latin1")).toBe(contents);
      rmSync(directory.file);
    }
    await using store = await Store.open({ file: directory.file });
    await store.kv.set("p", "k", bytes("x"));
  });

  it("is reported by the read or write that meets the damage; the rest goes on", async () => {
    await using directory = await scratch();
    const { file } = directory;
    {
      await using store = await Store.open({ file });
      for (let index = 0; index < 300; index++) await store.kv.set("p", `k${index}`, new Uint8Array(1_000).fill(7));
      await store.kv.set("other", "k", bytes("x"));
    }
    // The table's pages hold values of sevens; wherever one lies, its head is overwritten.
    const contents = readFileSync(file);
    const handle = openSync(file, "r+");
    for (let page = 4_096 * 12; page < contents.length; page += 4_096 * 2)
      writeSync(handle, Buffer.alloc(64, 0xee), 0, 64, page);
    closeSync(handle);
    await using store = await Store.open({ file });
    const keys = Array.from({ length: 300 }, (_, index) => `k${index}`);
    const codes = new Set<string>();
    for (const key of keys) {
      try {
        store.kv.get("p", key);
      } catch (error) {
        codes.add((error as { code: string }).code);
        expect((error as Error).message).toContain(file);
      }
      await store.kv.set("p", key, bytes("y")).catch((error: { code: string }) => codes.add(error.code));
    }
    expect([...codes]).toEqual([ErrorCode.DataLoss]);
  });
});

describe("a file that somebody else has", () => {
  it("is refused to a second hub, which is told who has the first", async () => {
    await using directory = await scratch();
    const other = await holder("hold.ts", directory.file);
    await expect(Store.open({ file: directory.file })).rejects.toMatchObject({
      code: ErrorCode.AlreadyExists,
      message: expect.stringMatching(new RegExp(`orchestra\\.db" is in use by process ${other.pid}\\b`)),
    });
    await other.end();
    await using store = await Store.open({ file: directory.file });
    await expect(Store.open({ file: directory.file })).rejects.toMatchObject({ code: ErrorCode.AlreadyExists });
    // The attempt within this process has not cost the first its lock.
    const output = spawnSync(process.execPath, [fixture("open-and-report.ts"), directory.file], {
      encoding: "utf8",
    }).stdout;
    expect(JSON.parse(output)).toMatchObject({ code: ErrorCode.AlreadyExists });
    await store.kv.set("p", "k", bytes("x"));
  });

  it.skipIf(process.platform === "win32")("is the same one by whatever link it is reached", async () => {
    await using directory = await scratch();
    const other = join(directory.path, "other");
    mkdirSync(other);
    symlinkSync(directory.file, join(other, "link.db"));
    await expect(Store.open({ file: join(other, "link.db") })).rejects.toMatchObject({
      code: ErrorCode.FailedPrecondition,
      message: /is a link to a file that is not there/,
    });
    await using store = await Store.open({ file: directory.file });
    await expect(Store.open({ file: join(other, "link.db") })).rejects.toMatchObject({ code: ErrorCode.AlreadyExists });
    await expect(Store.open({ file: other })).rejects.toMatchObject({ code: ErrorCode.FailedPrecondition });
    await store.close();
    await (await Store.open({ file: join(other, "link.db") })).close();
  });

  it("is held by a lock in which nothing can be damaged", async () => {
    await using directory = await scratch();
    writeFileSync(`${directory.file}.lock`, "torn by a power cut ".repeat(500));
    await using store = await Store.open({ file: directory.file });
    await store.kv.set("p", "k", bytes("x"));
    await expect(Store.open({ file: directory.file })).rejects.toMatchObject({ code: ErrorCode.AlreadyExists });
    expect(statSync(`${directory.file}.lock`).size).toBe(0);
  });

  it("is free as soon as a hub that held it was killed", async () => {
    await using directory = await scratch();
    const other = await holder("hold.ts", directory.file);
    await other.end("SIGKILL");
    await using store = await Store.open({ file: directory.file });
    await store.kv.set("p", "k", bytes("x"));
  });

  it("is named when a foreign program holds its lock; reads go on, and so do writes afterwards", async () => {
    await using store = await testStore({ busyTimeoutMs: 50 });
    await store.kv.set("p", "k", bytes("1"));
    const foreign = await holder("hold-lock.ts", store.file);
    await expect(store.kv.set("p", "k", bytes("2"))).rejects.toMatchObject({
      code: ErrorCode.Unavailable,
      retryable: true,
      message: expect.stringContaining(`"${store.file}" is locked by another process`),
    });
    expect(text(store.kv.get("p", "k")?.value)).toBe("1");
    await foreign.end();
    await store.kv.set("p", "k", bytes("3"));
    expect(text(store.kv.get("p", "k")?.value)).toBe("3");
  });

  it("is written as it is after a foreign program has changed it, not as it was", async () => {
    await using store = await testStore();
    await store.kv.set("p", "gone", bytes("1"));
    await store.kv.set("p", "stays", bytes("1"));
    change(store.file, "DELETE FROM kv_entries WHERE key = CAST('gone' AS BLOB)");
    await store.kv.set("p", "gone", bytes("2"));
    expect(text(store.kv.get("p", "gone")?.value)).toBe("2");
    expect(text(store.kv.get("p", "stays")?.value)).toBe("1");
    change(store.file, "DELETE FROM kv_entries");
    await store.kv.set("p", "k", bytes("1"));
    expect(store.kv.usage("p")).toEqual({ entries: 1, bytes: 2 });
  });

  it("is left alone where it is newer, or not ours at all", async () => {
    await using directory = await scratch();
    const { file } = directory;
    await (await Store.open({ file })).close();
    change(file, "PRAGMA user_version = 99");
    await expect(Store.open({ file })).rejects.toMatchObject({
      code: ErrorCode.FailedPrecondition,
      message: expect.stringMatching(/has schema 99, and this program knows schemas up to \d/),
    });
    rmSync(file);
    change(file, "CREATE TABLE others (thing TEXT)");
    const before = readFileSync(file);
    await expect(Store.open({ file })).rejects.toMatchObject({
      code: ErrorCode.FailedPrecondition,
      message: expect.stringContaining("is a database of another program"),
    });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  function change(file: string, sql: string): void {
    // The store may be at its housekeeping.
    const db = new DatabaseSync(file, { timeout: 60_000 });
    db.exec(sql);
    db.close();
  }
});

describe("a file that loses its name", () => {
  it.skipIf(process.platform === "win32")("is written no more, and again when it has it back", async () => {
    for (const name of ["orchestra.db", "orchestra.db-wal", "orchestra.db.lock"]) {
      await using directory = await scratch();
      await using store = await Store.open({ file: directory.file });
      const path = join(directory.path, name);
      renameSync(path, `${path}.moved`);
      const write = () =>
        store.kv.set("p", "k", bytes("x")).then(
          () => "",
          ({ message }: Error) => message,
        );
      await expect.poll(write).toContain(`${name}" was removed, moved or replaced`);
      renameSync(`${path}.moved`, path);
      expect(await write()).toBe("");
    }
  });

  it("is not begun anew over the log that it left", async () => {
    await using directory = await scratch();
    const { file } = directory;
    const other = await holder("hold.ts", file);
    await other.end("SIGKILL");
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);
    renameSync(file, `${file}.moved`);
    const refused = {
      code: ErrorCode.DataLoss,
      message: /orchestra\.db" is missing or empty, and its log .* is there/,
    };
    await expect(Store.open({ file })).rejects.toMatchObject(refused);
    writeFileSync(file, "");
    await expect(Store.open({ file })).rejects.toMatchObject(refused);
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);
    truncateSync(`${file}-wal`);
    await (await Store.open({ file })).close();
  });
});

describe("a place that may not be written", () => {
  it.skipIf(process.platform === "win32")("is named, with what to look after", async () => {
    await using directory = await scratch();
    chmodSync(directory.path, 0o500);
    // Rights mean nothing to root, so that it takes somebody else to try.
    const somebody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    if ("uid" in somebody) chownSync(directory.path, 65_534, 65_534);
    const options = { encoding: "utf8", cwd: "/", ...somebody } as const;
    const { stdout } = spawnSync(process.execPath, [fixture("open-and-report.ts"), directory.file], options);
    chmodSync(directory.path, 0o700);
    expect(JSON.parse(stdout)).toMatchObject({
      code: ErrorCode.FailedPrecondition,
      message: expect.stringMatching(/orchestra\.db.* cannot be written .*right to write/),
    });
  });

  it("is named where its directory cannot be made", async () => {
    await using directory = await scratch();
    writeFileSync(join(directory.path, "file"), "");
    const file = join(directory.path, "file", "orchestra.db");
    await expect(Store.open({ file })).rejects.toMatchObject({
      code: ErrorCode.FailedPrecondition,
      message: expect.stringContaining(file),
    });
    await expect(Store.open({ file: "orchestra.db" })).rejects.toMatchObject({ code: ErrorCode.InvalidArgument });
  });

  it.skipIf(process.platform === "win32")("makes files that nobody else may read", async () => {
    await using directory = await scratch();
    await using store = await Store.open({ file: directory.file });
    await store.kv.set("p", "k", bytes("secret"));
    for (const name of ["", "-wal", "-shm", ".lock"]) {
      expect(statSync(directory.file + name).mode & 0o077, `orchestra.db${name}`).toBe(0);
    }
  });
});

function canMount(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const { status } = spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]);
  return status === 0;
}
