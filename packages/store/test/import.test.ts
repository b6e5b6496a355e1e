import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import type { ImportedEntry, NewEvent } from "../src/index.ts";
import { bytes, testStore, text } from "./support.ts";

const entry = (key: string, value: string, namespace = "p"): ImportedEntry => ({
  namespace,
  key: bytes(key),
  value: bytes(value),
});
const event = (timeMs: number, type = "started"): NewEvent => ({ timeMs, plugin: "p", type, details: "{}" });

describe("import", () => {
  it("takes over entries and events, once", async () => {
    await using store = await testStore();
    // The same thing may have happened twice in one millisecond.
    const events = [event(1_000), event(1_000), event(2_000, "stopped")];
    const request = { entries: [entry("a", "1"), entry("a", "2", "q")], events, overwrite: false };
    expect(await store.import(request)).toEqual({ entries: 2, events: 3, conflicts: 0 });
    expect(await store.import(request)).toEqual({ entries: 0, events: 0, conflicts: 0 });
    expect(text(store.kv.get("q", "a")?.value)).toBe("2");
    expect(store.kv.usage("p")).toEqual({ entries: 1, bytes: 2 });
    expect(store.events.query().map(({ timeMs, type }) => [timeMs, type])).toEqual([
      [1_000, "started"],
      [1_000, "started"],
      [2_000, "stopped"],
    ]);
  });

  it("leaves what differs as it is, unless told otherwise", async () => {
    await using store = await testStore();
    await store.kv.set("p", "a", bytes("ours"));
    const request = { entries: [entry("a", "theirs"), entry("b", "new")], events: [] };
    expect(await store.import({ ...request, overwrite: false })).toEqual({ entries: 1, events: 0, conflicts: 1 });
    expect(text(store.kv.get("p", "a")?.value)).toBe("ours");
    expect(await store.import({ ...request, overwrite: true })).toEqual({ entries: 1, events: 0, conflicts: 0 });
    expect(text(store.kv.get("p", "a")?.value)).toBe("theirs");
  });

  it("keeps of an event what can be told", async () => {
    await using store = await testStore();
    const events = [
      "x".repeat(20_000_000),
      `${"[".repeat(2_000)}${"]".repeat(2_000)}`,
      `${'{"a":'.repeat(20)}"]]{{"${"}".repeat(20)}`,
    ];
    const request = { entries: [], overwrite: false, events: events.map((details) => ({ ...event(1_000), details })) };
    expect(await store.import(request)).toMatchObject({ events: 3 });
    expect(await store.import(request)).toMatchObject({ events: 0 });
    expect(store.events.query().map(({ details }) => details)).toEqual([
      { omitted: "details of 20000000 characters" },
      { omitted: "details in more than 20 levels" },
      JSON.parse(events[2]!),
    ]);
  });

  it("is all or nothing", async () => {
    await using store = await testStore({ quota: { maxEntries: 2 } });
    const entries = ["a", "b", "c"].map((key) => entry(key, "x"));
    await expect(store.import({ entries, events: [event(1)], overwrite: false })).rejects.toMatchObject({
      code: ErrorCode.ResourceExhausted,
      message: /Nothing was imported/,
    });
    expect(store.kv.list("p").entries).toEqual([]);
    expect(store.events.query()).toEqual([]);
    await store.kv.set("p", "works", bytes("still"));
  });
});
