import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { inspectStore, Store } from "../src/index.ts";
import { bytes, holder, scratch, testStore, text } from "./support.ts";

describe("backup", () => {
  it("copies one moment of a store that is being written", async () => {
    await using directory = await scratch();
    await using store = await testStore();
    const target = join(directory.path, "backup.db");
    // Two entries that always change together: a copy of one moment never shows them apart.
    const pair = async (index: number) => {
      const value = bytes(String(index));
      await Promise.all([store.kv.set("p", "left", value), store.kv.set("p", "right", value)]);
    };
    await pair(0);
    await Promise.all(Array.from({ length: 500 }, (_, index) => store.kv.set("p", `k${index}`, new Uint8Array(2_000))));
    let running = true;
    let pairs = 0;
    const writing = (async () => {
      while (running) await pair(++pairs);
    })();
    await store.backup(target);
    running = false;
    await writing;
    expect(pairs).toBeGreaterThan(1);
    await using copy = await Store.open({ file: target });
    const left = text(copy.kv.get("p", "left")?.value);
    expect(left).toBe(text(copy.kv.get("p", "right")?.value));
    expect(copy.kv.usage("p").entries).toBe(502);
    await copy.kv.set("p", "of its own", bytes("x"));
    expect(store.kv.get("p", "of its own")).toBeUndefined();
  });

  it("is not there until it is complete, and is completed before the store closes", async () => {
    await using directory = await scratch();
    const store = await Store.open({ file: directory.file });
    await Promise.all(Array.from({ length: 200 }, (_, index) => store.kv.set("p", `k${index}`, new Uint8Array(9_000))));
    const target = join(directory.path, "backup.db");
    const sizes = new Set<number | undefined>();
    const look = () => sizes.add(statSync(target, { throwIfNoEntry: false })?.size);
    let isDone = false;
    const backup = store.backup(target).then(() => {
      isDone = true;
    });
    const looking = (async () => {
      while (!isDone) await new Promise((resolve) => setImmediate(resolve)).then(look);
    })();
    await store.close();
    expect(isDone).toBe(true);
    await Promise.all([backup, looking]);
    sizes.delete(undefined);
    expect([...sizes]).toEqual([statSync(target).size]);
    await expect(store.backup(`${target}2`)).rejects.toMatchObject({ code: ErrorCode.Unavailable });
    await using copy = await Store.open({ file: target });
    expect(copy.kv.usage("p").entries).toBe(200);
  });

  it("is not mixed up with the log of the database whose place it takes", async () => {
    await using directory = await scratch();
    await using store = await testStore();
    await store.kv.set("p", "k", bytes("from the backup"));
    const { file } = directory;
    const other = await holder("hold.ts", file);
    await other.end("SIGKILL");
    rmSync(file);
    await store.backup(file);
    const refused = {
      code: ErrorCode.DataLoss,
      message: /is a copy without a log, and .*-wal" is that of another one/,
    };
    await expect(Store.open({ file })).rejects.toMatchObject(refused);
    expect(() => inspectStore(file)).toThrow(expect.objectContaining({ code: ErrorCode.DataLoss }));
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);
    rmSync(`${file}-wal`);
    rmSync(`${file}-shm`);
    await using restored = await Store.open({ file });
    expect(text(restored.kv.get("p", "k")?.value)).toBe("from the backup");
  });

  it("overwrites nothing, and leaves nothing behind where it fails", async () => {
    await using directory = await scratch();
    await using store = await testStore();
    const target = join(directory.path, "backup.db");
    writeFileSync(target, "precious");
    await expect(store.backup(target)).rejects.toMatchObject({
      code: ErrorCode.AlreadyExists,
      message: expect.stringContaining(target),
    });
    expect(readFileSync(target, "utf8")).toBe("precious");
    await expect(store.backup("backup.db")).rejects.toMatchObject({ code: ErrorCode.InvalidArgument });
    const nowhere = join(directory.path, "none", "backup.db");
    await expect(store.backup(nowhere)).rejects.toMatchObject({ code: ErrorCode.InvalidArgument });
    const other = join(directory.path, "other.db");
    const [one, two] = await Promise.allSettled([store.backup(other), store.backup(other)]);
    expect([one.status, two.status].sort()).toEqual(["fulfilled", "rejected"]);
    expect(readdirSync(directory.path).sort()).toEqual(["backup.db", "other.db"]);
    if (process.platform !== "win32") expect(statSync(other).mode & 0o077).toBe(0);
  });
});
