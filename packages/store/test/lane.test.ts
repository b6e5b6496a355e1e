import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import type { KvWatchItem } from "../src/index.ts";
import { bytes, testStore } from "./support.ts";

const NAMESPACES = ["p", '["q","r"]', "q", "r", "é€😀"];
/** More than a slot of shared memory holds, so that it travels as a message. */
const LARGE = new Uint8Array(700 * 1_024).fill(7);

describe("writes in shared memory", () => {
  it("keep their order and answers beside those that travel as messages, from busy threads and sleeping ones", async () => {
    await using store = await testStore();
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const seen: KvWatchItem[] = [];
    const watcher = store.kv.watch("p", {}, () => seen.push(...watcher.take()));
    const told: string[] = [];
    const answers: Promise<unknown>[] = [];
    let events = 0;
    for (let round = 0; round < 400; round += 1) {
      for (let index = random(6); index >= 0; index -= 1) {
        const namespace = NAMESPACES[random(NAMESPACES.length)]!;
        const key = `k${random(20)}`;
        const value = random(40) === 0 ? LARGE : bytes(`${round}/${index}`);
        if (namespace === "p") told.push(`${key} ${value.length}`);
        answers.push(store.kv.set(namespace, key, value).then((info) => expect(info.key).toBe(key)));
      }
      if (random(10) === 0) {
        events += 1;
        answers.push(store.events.record({ plugin: "p", type: "round" }));
      }
      if (random(8) === 0) {
        const refused = store.kv.set("q", "k0", bytes("x"), { expectedVersion: 1_000_000 });
        answers.push(expect(refused).rejects.toMatchObject({ code: ErrorCode.FailedPrecondition }));
      }
      // So many turns that the threads meet awake, looking, lingering and asleep.
      for (let turn = random(4) ** 5; turn > 0; turn -= 1) await new Promise((resolve) => setImmediate(resolve));
      if (random(5) === 0) await Promise.all(answers.splice(0));
    }
    await Promise.all(answers);
    seen.push(...watcher.take());
    expect(seen.map((item) => ("entry" in item ? `${item.entry.key} ${item.entry.value.length}` : "lagged"))).toEqual(
      told,
    );
    const versions = seen.map((item) => ("entry" in item ? item.entry.version : 0));
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(store.events.query({ limit: 10_000 }).length).toBe(events);
  });

  it("do not keep the thread from anything else", async () => {
    await using store = await testStore();
    let isOver = false;
    const write = async (_: unknown, writer: number): Promise<void> => {
      while (!isOver) await store.kv.set("p", `k${writer}`, bytes("x"));
    };
    const writers = Array.from({ length: 8 }, write);
    for (let count = 0; count < 20; count += 1) {
      await store.clean();
      const entry = { namespace: "i", key: bytes(`k${count}`), value: bytes("y") };
      const { entries } = await store.import({ entries: [entry], events: [], overwrite: false });
      expect(entries).toBe(1);
    }
    isOver = true;
    await Promise.all(writers);
    expect(store.kv.usage("i").entries).toBe(20);
  });

  it("happen after an import that was asked for before", async () => {
    await using store = await testStore();
    for (let count = 0; count < 30; count += 1) {
      await store.kv.set("p", `awake${count}`, bytes("x"));
      const key = `k${count}`;
      const entry = { namespace: "p", key: bytes(key), value: bytes("imported") };
      const imported = store.import({ entries: [entry], events: [], overwrite: false });
      const written = store.kv.set("p", key, bytes("written"));
      expect([(await imported).entries, (await written).key]).toEqual([1, key]);
      expect(store.kv.get("p", key)?.value).toEqual(bytes("written"));
    }
  });
});
