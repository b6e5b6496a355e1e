import { describe, expect, it } from "vitest";
import type { KvWatchItem, Store } from "../src/index.ts";
import { bytes, Clock, testStore, text } from "./support.ts";

/** "key=value", "-key" for a removed one, "lagged". */
function words(items: readonly KvWatchItem[]): string[] {
  return items.map((item) => {
    if ("lagged" in item) return "lagged";
    return item.removed ? `-${item.entry.key}` : `${item.entry.key}=${text(item.entry.value)}`;
  });
}

/** Takes everything as it comes. */
function follow(store: Store, namespace: string, options: { prefix?: string; existing?: boolean } = {}) {
  const heard: string[] = [];
  const watcher = store.kv.watch(namespace, options, () => heard.push(...words(watcher.take())));
  for (let items = watcher.take(); items.length > 0; items = watcher.take()) heard.push(...words(items));
  return { watcher, heard };
}

describe("KvWatcher", () => {
  it("hears changes in their order, of its namespace and prefix alone", async () => {
    await using store = await testStore();
    await store.kv.set("p", "a/0", bytes("before"));
    const { heard } = follow(store, "p", { prefix: "a/" });
    const other = follow(store, "p", { prefix: "b" });
    const elsewhere = follow(store, "q");
    await Promise.all([
      store.kv.set("p", "a/1", bytes("1")),
      store.kv.set("p", "b", bytes("no")),
      store.kv.set("q", "a/1", bytes("no")),
      store.kv.set("p", "a/1", bytes("2")),
      store.kv.delete("p", "a/1"),
      store.kv.delete("p", "a/1"),
      store.kv.set("p", "a/0", bytes("x"), { expectedVersion: 99 }).catch(() => {}),
    ]);
    expect(heard).toEqual(["a/1=1", "a/1=2", "-a/1"]);
    expect([other.heard, elsewhere.heard]).toEqual([["b=no"], ["a/1=no"]]);
  });

  it("has heard of a change when its writer is answered", async () => {
    await using store = await testStore();
    const { heard } = follow(store, "p");
    for (let index = 0; index < 20; index++) {
      await store.kv.set("p", "k", bytes(String(index)));
      expect(heard.at(-1)).toBe(`k=${index}`);
    }
  });

  it("hears that an entry has expired", async () => {
    const clock = new Clock();
    await using store = await testStore({ nowMs: clock.now });
    await store.kv.set("p", "k", bytes("x"), { ttlMs: 100 });
    const { heard } = follow(store, "p");
    clock.nowMs += 100;
    await store.clean();
    expect(heard).toEqual(["-k"]);
  });

  it("hears that an entry had to go after it has heard that it was written", async () => {
    const clock = new Clock();
    await using store = await testStore({ nowMs: clock.now, quota: { maxEntries: 2 } });
    const { heard } = follow(store, "p");
    // One transaction: the first is over when there is no room for the last.
    const writes = [store.kv.set("p", "a", bytes("1"), { ttlMs: 1 }), store.kv.set("p", "b", bytes("1"))];
    clock.nowMs += 1;
    await Promise.all([...writes, store.kv.set("q", "k", bytes("1")), store.kv.set("p", "c", bytes("1"))]);
    expect(heard).toEqual(["a=1", "b=1", "-a", "c=1"]);
  });

  it("hears of what is there first, then of each change once", async () => {
    await using store = await testStore();
    const keys = Array.from({ length: 450 }, (_, index) => `k${String(index).padStart(3, "0")}`);
    await Promise.all(keys.map((key) => store.kv.set("p", key, bytes("old"))));
    // Written and not yet answered when the watch begins: in the listing or told afterwards, never both, never lost.
    const writes = keys.map((key) => store.kv.set("p", key, bytes("new")));
    const { heard } = follow(store, "p", { existing: true });
    await Promise.all(writes);
    await store.kv.delete("p", "k000");
    for (const key of keys) {
      const told = heard.filter((word) => word.includes(key));
      const value = told.filter((word) => !word.startsWith("-"));
      expect([[`${key}=old`, `${key}=new`], [`${key}=new`]], key).toContainEqual(value);
    }
    expect(heard.at(-1)).toBe("-k000");
  });

  it("tells a slow reader of the entries page by page, with the changes that came between", async () => {
    await using store = await testStore();
    const keys = Array.from({ length: 450 }, (_, index) => `k${String(index).padStart(3, "0")}`);
    await Promise.all(keys.map((key) => store.kv.set("p", key, bytes("old"))));
    const watcher = store.kv.watch("p", { existing: true }, () => {});
    const state = new Map<string, string>();
    const apply = (items: readonly KvWatchItem[]) => {
      for (const item of items) {
        if ("lagged" in item) throw new Error("lagged");
        if (item.removed) state.delete(item.entry.key);
        else state.set(item.entry.key, text(item.entry.value)!);
      }
      return items.length;
    };
    expect(apply(watcher.take())).toBe(200);
    await store.kv.set("p", "k001", bytes("told"));
    await store.kv.set("p", "k440", bytes("read later"));
    await store.kv.delete("p", "k002");
    await store.kv.delete("p", "k441");
    await store.kv.set("p", "k449z", bytes("added"));
    while (apply(watcher.take()) > 0);
    expect(apply(watcher.take())).toBe(0);
    const really = store.kv.list("p", { limit: 1_000 }).entries.map(({ key, value }) => [key, text(value)]);
    expect([...state].sort()).toEqual(really);
    watcher.close();
  });

  it("is told when it was too slow, and goes on", async () => {
    await using store = await testStore();
    let woken = 0;
    const watcher = store.kv.watch("p", {}, () => woken++);
    await Promise.all(Array.from({ length: 1_500 }, (_, index) => store.kv.set("p", "k", bytes(String(index)))));
    expect(woken).toBe(2);
    const items = words(watcher.take());
    expect(items[0]).toBe("lagged");
    expect(items.at(-1)).toBe("k=1499");
    expect(items).toHaveLength(501);
    await store.kv.set("p", "k", bytes("next"));
    expect(words(watcher.take())).toEqual(["k=next"]);
    watcher.close();
  });

  it("bounds what waits by bytes too", async () => {
    await using store = await testStore();
    const watcher = store.kv.watch("p", {}, () => {});
    for (let index = 0; index < 6; index++) await store.kv.set("p", "k", new Uint8Array(1024 * 1024));
    const items = watcher.take();
    expect(items[0]).toEqual({ lagged: true });
    expect(items.length).toBeLessThanOrEqual(5);
    watcher.close();
  });

  it("takes of what is there no more at a time than it needs", async () => {
    await using store = await testStore();
    for (let index = 0; index < 20; index++) await store.kv.set("p", `k${index}`, new Uint8Array(100_000));
    const watcher = store.kv.watch("p", { existing: true }, () => {});
    const counts: number[] = [];
    for (let items = watcher.take(); items.length > 0; items = watcher.take()) counts.push(items.length);
    expect(counts).toEqual(Array<number>(10).fill(2));
    watcher.close();
  });

  it("hears nothing after it was closed, or the store was", async () => {
    const store = await testStore();
    const one = follow(store, "p");
    const two = follow(store, "p");
    one.watcher.close();
    await store.kv.set("p", "k", bytes("x"));
    expect(one.heard).toEqual([]);
    expect(two.heard).toEqual(["k=x"]);
    await store[Symbol.asyncDispose]();
    expect(two.watcher.take()).toEqual([]);
  });
});
