import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { type RecordedEvent, Store } from "../src/index.ts";
import { Clock, scratch, testStore } from "./support.ts";

describe("EventStore", () => {
  it("records events with numbers that rise and never come again", async () => {
    await using directory = await scratch();
    const clock = new Clock();
    const retention = { maxAgeMs: 1_000 };
    const open = () => Store.open({ file: directory.file, nowMs: clock.now, retention });
    let last = 0;
    {
      await using store = await open();
      const recorded = await Promise.all([
        store.events.record({ plugin: "hello", type: "started", details: { pid: 7 } }),
        store.events.record({ plugin: "hello", type: "crashed" }),
      ]);
      expect(recorded.map(({ id }) => id)).toEqual([1, 2]);
      expect(store.events.query()).toEqual([
        { id: 1, timeMs: clock.nowMs, plugin: "hello", type: "started", details: { pid: 7 } },
        { id: 2, timeMs: clock.nowMs, plugin: "hello", type: "crashed", details: {} },
      ]);
      last = recorded[1].id;
      clock.nowMs += 1_001;
      await store.clean();
      expect(store.events.query()).toEqual([]);
    }
    await using store = await open();
    expect((await store.events.record({ plugin: "hello", type: "started" })).id).toBeGreaterThan(last);
  });

  it("finds them by plugin, type, time and number", async () => {
    const clock = new Clock();
    await using store = await testStore({ nowMs: clock.now });
    const start = clock.nowMs;
    for (let index = 0; index < 6; index++) {
      await store.events.record({ plugin: index % 2 ? "odd" : "even", type: index < 3 ? "started" : "stopped" });
      clock.nowMs += 10;
    }
    const ids = (query: Parameters<typeof store.events.query>[0]) => store.events.query(query).map(({ id }) => id);
    expect(ids({ plugin: "odd" })).toEqual([2, 4, 6]);
    expect(ids({ type: "stopped" })).toEqual([4, 5, 6]);
    expect(ids({ plugin: "even", type: "started" })).toEqual([1, 3]);
    expect(ids({ sinceMs: start + 40 })).toEqual([5, 6]);
    expect(ids({ limit: 2 })).toEqual([5, 6]);
    expect(ids({ plugin: "none" })).toEqual([]);
  });

  it("tells them a page at a time, by number or by size", async () => {
    await using store = await testStore();
    const { events } = store;
    expect(events.span({})).toEqual({ after: 0, upTo: 0 });
    const record = (type: string, words = "") => events.record({ plugin: "p", type, details: { words } });
    await Promise.all(Array.from({ length: 1_500 }, () => record("small")));
    await Promise.all(Array.from({ length: 30 }, () => record("large", "x".repeat(60_000))));
    expect(events.span({ type: "small", limit: 10 })).toEqual({ after: 1_490, upTo: 1_530 });
    expect(events.span({ type: "none" })).toEqual({ after: 1_530, upTo: 1_530 });
    const pages: [number | undefined, number][] = [];
    for (let after = 0, isEnd = false; !isEnd; ) {
      const page = events.page({ after });
      isEnd = page.isEnd;
      after = page.events.at(-1)?.id ?? after;
      pages.push([page.events[0]?.id, page.events.length]);
    }
    expect(pages).toEqual([
      [1, 1_000],
      [1_001, 517],
      [1_518, 13],
    ]);
    expect(events.page({ after: 1_525, upTo: 1_527, plugin: "p" }).events.map(({ id }) => id)).toEqual([1_526, 1_527]);
    expect(events.page({ after: 1_530 })).toEqual({ events: [], isEnd: true });
  });

  it("tells followers once it is on disk", async () => {
    await using store = await testStore();
    const heard: RecordedEvent[] = [];
    const end = store.events.follow((event) => heard.push(event));
    const one = await store.events.record({ plugin: "p", type: "ready" });
    expect(heard).toEqual([one]);
    end();
    await store.events.record({ plugin: "p", type: "stopped" });
    expect(heard).toHaveLength(1);
  });

  it("keeps only as many as it is told to, the latest", async () => {
    await using store = await testStore({ retention: { maxEvents: 5 } });
    await Promise.all(
      Array.from({ length: 30 }, (_, index) => store.events.record({ plugin: "p", type: `t${index}` })),
    );
    await store.clean();
    expect(store.events.query().map(({ type }) => type)).toEqual(["t25", "t26", "t27", "t28", "t29"]);
  });

  it("refuses an event of nobody, and leaves out details that are too long", async () => {
    await using store = await testStore();
    const invalid = { code: ErrorCode.InvalidArgument };
    await expect(store.events.record({ plugin: "", type: "x" })).rejects.toMatchObject(invalid);
    await expect(store.events.record({ plugin: "p", type: "" })).rejects.toMatchObject(invalid);
    // Nobody who writes at the same time is the worse for it.
    const [noTime, noJson, written] = await Promise.allSettled([
      store.events.record({ plugin: "p", type: "x", timeMs: Number.NaN }),
      store.events.record({ plugin: "p", type: "x", details: { count: 1n } }),
      store.kv.set("p", "k", new Uint8Array()),
    ]);
    expect([noTime.status, noJson.status, written.status]).toEqual(["rejected", "rejected", "fulfilled"]);
    const long = await store.events.record({ plugin: "p", type: "x", details: { log: "x".repeat(100_000) } });
    expect(long.details).toEqual({ omitted: expect.stringMatching(/^details of 1000\d\d characters$/) });
  });
});
