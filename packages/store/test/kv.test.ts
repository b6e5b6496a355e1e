import { ErrorCode } from "@orchestrator/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_KEY_BYTES, MAX_VALUE_BYTES, Store } from "../src/index.ts";
import { bytes, Clock, scratch, testStore, text } from "./support.ts";

describe("KvStore", () => {
  it("writes, reads, overwrites and removes", async () => {
    const clock = new Clock();
    await using store = await testStore({ nowMs: clock.now });
    const { kv } = store;
    expect(kv.get("p", "a")).toBeUndefined();
    const first = await kv.set("p", "a", bytes("one"));
    expect(first).toEqual({ key: "a", version: 1, updatedAtMs: clock.nowMs, expiresAtMs: 0 });
    expect(kv.get("p", "a")).toEqual({ ...first, value: bytes("one") });
    const second = await kv.set("p", "a", bytes("two"));
    expect(second.version).toBe(2);
    expect(text(kv.get("p", "a")?.value)).toBe("two");
    expect(kv.usage("p")).toEqual({ entries: 1, bytes: 4 });
    expect(await kv.delete("p", "a")).toEqual(second);
    expect(await kv.delete("p", "a")).toBeUndefined();
    expect(kv.usage("p")).toEqual({ entries: 0, bytes: 0 });
    expect((await kv.set("p", "a", bytes(""))).version, "no version comes twice").toBeGreaterThan(2);
    expect(kv.get("p", "a")?.value).toEqual(new Uint8Array());
  });

  it("keeps namespaces apart", async () => {
    await using store = await testStore();
    await Promise.all([store.kv.set("one", "key", bytes("1")), store.kv.set("two", "key", bytes("2"))]);
    expect(text(store.kv.get("one", "key")?.value)).toBe("1");
    expect(text(store.kv.get("two", "key")?.value)).toBe("2");
    await store.kv.delete("one", "key");
    expect(text(store.kv.get("two", "key")?.value)).toBe("2");
    expect(store.kv.list("one").entries).toEqual([]);
  });

  it("keeps entries and versions over a restart", async () => {
    await using directory = await scratch();
    const { file } = directory;
    const one = await Store.open({ file });
    await one.kv.set("p", "stays", bytes("here"));
    await one.kv.set("p", "goes", bytes("away"));
    await one.kv.delete("p", "goes");
    await one.close();
    await using two = await Store.open({ file });
    expect(text(two.kv.get("p", "stays")?.value)).toBe("here");
    expect(two.kv.usage("p")).toEqual({ entries: 1, bytes: 9 });
    expect((await two.kv.set("p", "goes", bytes("back"))).version).toBe(4);
  });

  it("changes nothing unless the expected version is there", async () => {
    await using store = await testStore();
    const { kv } = store;
    const made = await kv.set("p", "lock", bytes("me"), { expectedVersion: 0 });
    const again = kv.set("p", "lock", bytes("you"), { expectedVersion: 0 });
    await expect(again).rejects.toMatchObject({ code: ErrorCode.FailedPrecondition, message: /has version 1/ });
    const wrong = kv.set("p", "lock", bytes("you"), { expectedVersion: made.version + 1 });
    await expect(wrong).rejects.toMatchObject({ code: ErrorCode.FailedPrecondition });
    await expect(kv.set("p", "none", bytes("x"), { expectedVersion: 1 })).rejects.toThrow(/is not there/);
    await expect(kv.delete("p", "lock", { expectedVersion: 7 })).rejects.toThrow(/version 7 was expected/);
    expect(text(kv.get("p", "lock")?.value)).toBe("me");
    const next = await kv.set("p", "lock", bytes("me again"), { expectedVersion: made.version });
    expect(await kv.delete("p", "lock", { expectedVersion: next.version })).toEqual(next);
    expect(await kv.delete("p", "lock", { expectedVersion: 0 })).toBeUndefined();
  });

  it("lets exactly one of many win a compare-and-set, in one transaction or several", async () => {
    await using store = await testStore();
    const tries = Array.from({ length: 50 }, (_, index) =>
      store.kv.set("p", "leader", bytes(String(index)), { expectedVersion: 0 }).then(
        () => index,
        () => undefined,
      ),
    );
    const winners = (await Promise.all(tries)).filter((index) => index !== undefined);
    expect(winners).toHaveLength(1);
    expect(text(store.kv.get("p", "leader")?.value)).toBe(String(winners[0]));
  });

  it("lets an entry's time run out: on reads at once, for lists and conditions too", async () => {
    const clock = new Clock();
    await using store = await testStore({ nowMs: clock.now });
    const { kv } = store;
    const set = await kv.set("p", "session", bytes("x"), { ttlMs: 1_000 });
    expect(set.expiresAtMs).toBe(clock.nowMs + 1_000);
    await kv.set("p", "stays", bytes("x"));
    clock.nowMs += 999;
    expect(kv.get("p", "session")).toBeDefined();
    clock.nowMs += 1;
    expect(kv.get("p", "session")).toBeUndefined();
    expect(kv.list("p").entries.map(({ key }) => key)).toEqual(["stays"]);
    await expect(kv.set("p", "session", bytes("y"), { expectedVersion: set.version })).rejects.toThrow(/is not there/);
    expect(await kv.delete("p", "session")).toBeUndefined();
    await store.clean();
    expect(kv.usage("p").entries).toBe(1);
    const made = await kv.set("p", "session", bytes("new"), { expectedVersion: 0 });
    expect(made).toMatchObject({ expiresAtMs: 0 });
    expect(made.version).toBeGreaterThan(set.version);
  });

  it("sweeps by itself what has expired, also what expired before it was opened", async () => {
    await using directory = await scratch();
    const clock = new Clock();
    {
      await using store = await Store.open({ file: directory.file, nowMs: clock.now });
      await store.kv.set("p", "old", bytes("x"), { ttlMs: 1 });
      clock.nowMs += 1_000;
    }
    await using store = await Store.open({ file: directory.file, nowMs: clock.now });
    const gone = Promise.withResolvers<void>();
    store.kv.watch("p", {}, () => gone.resolve());
    await gone.promise;
    expect(store.kv.usage("p").entries).toBe(0);
  });

  it("lists in the order of the keys' bytes, by prefix, page by page", async () => {
    await using store = await testStore();
    const keys = ["a", "a/1", "a/2", "a/é", "a/ﬀ", "a/😀", "a\u{10ffff}", "a\u0000b", "b", "é", "z"];
    await Promise.all(keys.map((key) => store.kv.set("p", key, bytes(key))));
    const inOrder = [...keys].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
    const all = store.kv.list("p");
    expect(all.entries.map(({ key }) => key)).toEqual(inOrder);
    expect(all.entries.every(({ key, value }) => text(value) === key)).toBe(true);
    const under = store.kv.list("p", { prefix: "a/", keysOnly: true });
    expect(under.entries.map(({ key, value }) => [key, value.length])).toEqual(
      inOrder.filter((key) => key.startsWith("a/")).map((key) => [key, 0]),
    );
    const paged: string[] = [];
    let startKey = "";
    do {
      const page = store.kv.list("p", { limit: 2, startKey });
      expect(page.entries.length).toBeLessThanOrEqual(2);
      paged.push(...page.entries.map(({ key }) => key));
      startKey = page.nextKey;
    } while (startKey !== "");
    expect(paged).toEqual(inOrder);
    expect(store.kv.list("p", { prefix: "a", startKey: "b" }).entries).toEqual([]);
    expect(store.kv.list("p", { limit: 1.5 }).entries).toHaveLength(2);
    await Promise.all(Array.from({ length: 120 }, (_, index) => store.kv.set("q", `k${index}`, bytes("x"))));
    expect(store.kv.list("q", { limit: -1 }).entries).toHaveLength(100);
  });

  it("ends a page before it grows too large for a message", async () => {
    await using store = await testStore();
    const value = new Uint8Array(MAX_VALUE_BYTES);
    for (let index = 0; index < 6; index++) await store.kv.set("p", `k${index}`, value);
    const page = store.kv.list("p");
    expect(page.entries).toHaveLength(3);
    expect(page.nextKey).toBe("k3");
    expect(store.kv.list("p", { keysOnly: true }).entries).toHaveLength(6);
  });

  it("refuses what is no key, value, namespace or condition", async () => {
    await using store = await testStore();
    const { kv } = store;
    const invalid = { code: ErrorCode.InvalidArgument };
    const longest = "k".repeat(MAX_KEY_BYTES);
    await kv.set("p", longest, new Uint8Array(MAX_VALUE_BYTES));
    expect(kv.get("p", longest)?.value.length).toBe(MAX_VALUE_BYTES);
    for (const key of ["", `${longest}k`, "é".repeat(513), "\ud800", "a\udc00b"]) {
      await expect(kv.set("p", key, bytes("x")), JSON.stringify(key)).rejects.toMatchObject(invalid);
      await expect(kv.delete("p", key)).rejects.toMatchObject(invalid);
      expect(() => kv.get("p", key)).toThrow(expect.objectContaining(invalid));
    }
    await expect(kv.set("p", "k", new Uint8Array(MAX_VALUE_BYTES + 1))).rejects.toMatchObject(invalid);
    for (const ttlMs of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e18]) {
      await expect(kv.set("p", "k", bytes("x"), { ttlMs })).rejects.toMatchObject(invalid);
    }
    for (const expectedVersion of [-1, 1.5, Number.NaN, 2 ** 60]) {
      await expect(kv.set("p", "k", bytes("x"), { expectedVersion })).rejects.toMatchObject(invalid);
    }
    for (const namespace of ["", "\ud800", "n".repeat(256)]) {
      await expect(kv.set(namespace, "k", bytes("x"))).rejects.toMatchObject(invalid);
    }
    expect(() => kv.list("p", { prefix: "\ud800" })).toThrow(expect.objectContaining(invalid));
    expect(kv.list("p").entries).toHaveLength(1);
  });

  it("holds each namespace to its quota, and lets it shrink", async () => {
    const clock = new Clock();
    await using store = await testStore({
      nowMs: clock.now,
      quota: { maxBytes: 100, maxEntries: 3 },
      quotas: { big: { maxEntries: 5 } },
    });
    const { kv } = store;
    const full = { code: ErrorCode.ResourceExhausted };
    for (const key of ["a", "b", "c"]) await kv.set("p", key, bytes("x"));
    await expect(kv.set("p", "d", bytes("x"))).rejects.toMatchObject({ ...full, message: /3 entries/ });
    await kv.set("p", "a", bytes("y"));
    await expect(kv.set("p", "a", new Uint8Array(100))).rejects.toMatchObject({ ...full, message: /100 bytes/ });
    await kv.set("p", "a", new Uint8Array(95));
    expect(kv.usage("p")).toEqual({ entries: 3, bytes: 100 });
    await kv.set("p", "a", new Uint8Array(1));
    for (const key of ["a", "b", "c", "d", "e"]) await kv.set("big", key, bytes("x"));
    await expect(kv.set("big", "f", bytes("x"))).rejects.toMatchObject(full);
    // What has expired is no longer in the way, whether it was swept or not.
    await kv.delete("p", "b");
    await kv.set("p", "b", bytes("x"), { ttlMs: 10 });
    clock.nowMs += 10;
    await kv.set("p", "d", bytes("x"));
    expect(kv.list("p").entries.map(({ key }) => key)).toEqual(["a", "c", "d"]);
  });

  it("gives the caller its buffer back at once", async () => {
    await using store = await testStore();
    const value = bytes("before");
    const done = store.kv.set("p", "k", value);
    value.fill(0);
    await done;
    expect(text(store.kv.get("p", "k")?.value)).toBe("before");
  });

  it("answers everybody in a transaction, whatever becomes of the others", async () => {
    await using store = await testStore({ quota: { maxEntries: 10 } });
    const answers = await Promise.allSettled(
      Array.from({ length: 30 }, (_, index) => store.kv.set("p", `k${index}`, bytes("x"))),
    );
    expect(answers.map(({ status }) => status)).toEqual([
      ...Array<string>(10).fill("fulfilled"),
      ...Array<string>(20).fill("rejected"),
    ]);
    expect(store.kv.usage("p").entries).toBe(10);
  });

  it("puts what was asked for on disk before it closes, and refuses what comes after", async () => {
    await using directory = await scratch();
    const store = await Store.open({ file: directory.file });
    const writes = Array.from({ length: 500 }, (_, index) => store.kv.set("p", `k${index}`, bytes("x")));
    const closed = store.close();
    await expect(store.kv.set("p", "late", bytes("x"))).rejects.toMatchObject({ code: ErrorCode.Unavailable });
    await Promise.all(writes);
    await closed;
    expect(() => store.kv.get("p", "k1")).toThrow(expect.objectContaining({ code: ErrorCode.Unavailable }));
    await using again = await Store.open({ file: directory.file });
    expect(again.kv.usage("p").entries).toBe(500);
  });

  it("is a map with versions and times, whatever is done to it in whatever order", async () => {
    const clock = new Clock();
    await using store = await testStore({ nowMs: clock.now });
    let run = 0;
    const key = fc.constantFrom("a", "b", "ab", "é", "😀", "\u0000");
    const expected = fc.option(fc.constantFrom("right", "wrong", "absent"), { nil: undefined });
    const step = fc.oneof(
      fc.record({
        do: fc.constant("set" as const),
        key,
        value: fc.uint8Array({ maxLength: 8 }),
        expected,
        ttlMs: fc.constantFrom(0, 0, 5, 50),
      }),
      fc.record({ do: fc.constant("delete" as const), key, expected }),
      fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 30 }) }),
      fc.record({ do: fc.constant("clean" as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const namespace = `run ${++run}`;
        const model = new Map<string, { value: Uint8Array; version: number; expiresAtMs: number }>();
        const there = (name: string) => {
          const entry = model.get(name);
          return entry === undefined || (entry.expiresAtMs > 0 && entry.expiresAtMs <= clock.nowMs) ? undefined : entry;
        };
        let last = 0;
        for (const one of steps) {
          if (one.do === "wait") clock.nowMs += one.ms;
          else if (one.do === "clean") await store.clean();
          else {
            const current = there(one.key)?.version ?? 0;
            const expectedVersion = one.expected && { right: current, wrong: current + 1, absent: 0 }[one.expected];
            const holds = expectedVersion === undefined || expectedVersion === current;
            if (one.do === "set") {
              const done = store.kv.set(namespace, one.key, one.value, { expectedVersion, ttlMs: one.ttlMs });
              if (holds) {
                const { version, expiresAtMs } = await done;
                expect(version).toBeGreaterThan(last);
                last = version;
                model.set(one.key, { value: one.value, version, expiresAtMs });
              } else await expect(done).rejects.toMatchObject({ code: ErrorCode.FailedPrecondition });
            } else {
              const done = store.kv.delete(namespace, one.key, { expectedVersion });
              if (holds) {
                expect((await done)?.version ?? 0).toBe(current);
                if (current > 0) model.delete(one.key);
              } else await expect(done).rejects.toMatchObject({ code: ErrorCode.FailedPrecondition });
            }
          }
          const expectedKeys = [...model.keys()].filter((name) => there(name) !== undefined);
          expectedKeys.sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
          const listed = store.kv.list(namespace).entries;
          expect(listed.map((entry) => entry.key)).toEqual(expectedKeys);
          for (const entry of listed) expect(entry).toMatchObject(there(entry.key)!);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("takes any text as a key, and gives back the same", async () => {
    await using store = await testStore();
    const texts = fc.string({ unit: "binary", minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(texts, { minLength: 1, maxLength: 20 }),
        fc.string({ maxLength: 3, unit: "binary" }),
        async (keys, prefix) => {
          const namespace = `keys ${keys.length}`;
          await Promise.all(keys.map((key) => store.kv.set(namespace, key, bytes(key))));
          for (const key of keys) expect(store.kv.get(namespace, key)).toMatchObject({ key, value: bytes(key) });
          const listed = store.kv.list(namespace, { prefix, limit: 1_000 }).entries.map((entry) => entry.key);
          const wanted = keys.filter((key) => key.startsWith(prefix));
          expect(listed).toEqual(expect.arrayContaining(wanted));
          expect(listed.every((key) => key.startsWith(prefix))).toBe(true);
          await Promise.all(listed.map((key) => store.kv.delete(namespace, key)));
        },
      ),
      { numRuns: 15 },
    );
  });
});
