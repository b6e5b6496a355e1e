import { copyFileSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { inspectStore, Store } from "../src/index.ts";
import { bytes, scratch } from "./support.ts";

describe("inspectStore", () => {
  it("tells what is there, and changes nothing", async () => {
    await using directory = await scratch();
    const { file, path } = directory;
    expect(inspectStore(file)).toEqual({ is: "absent" });
    expect(readdirSync(path)).toEqual([]);
    const store = await Store.open({ file });
    await store.kv.set("p", "a", bytes("1"));
    expect(inspectStore(file)).toMatchObject({ is: "held", holder: process.pid });
    // It may have been looked at, but the hub has it still.
    expect(inspectStore(file)).toMatchObject({ is: "held" });
    await store.kv.set("p", "a", bytes("2"));
    await store.close();
    const files = readdirSync(path);
    expect(inspectStore(file)).toEqual({ is: "free", bytes: statSync(file).size });
    expect(readdirSync(path)).toEqual(files);
    await (await Store.open({ file })).close();
  });

  it("throws what a hub would be told of a file that it cannot open", async () => {
    await using directory = await scratch();
    const { file, path } = directory;
    writeFileSync(file, "something else altogether, and long enough to be seen as such".repeat(20));
    expect(() => inspectStore(file)).toThrow(expect.objectContaining({ code: "DATA_LOSS" }));
    const other = `${path}/other.db`;
    const db = new DatabaseSync(other);
    db.exec("CREATE TABLE theirs (a)");
    db.close();
    expect(() => inspectStore(other)).toThrow(/is a database of another program/);
    const newer = `${path}/newer.db`;
    await (await Store.open({ file: newer })).close();
    const change = new DatabaseSync(newer);
    change.exec("PRAGMA user_version = 99");
    change.close();
    expect(() => inspectStore(newer)).toThrow(/has schema 99/);
    const cut = `${path}/cut.db`;
    await (await Store.open({ file: `${path}/whole.db` })).close();
    copyFileSync(`${path}/whole.db`, cut);
    truncateSync(cut, 5_000);
    expect(() => inspectStore(cut)).toThrow(expect.objectContaining({ code: "DATA_LOSS" }));
  });
});
