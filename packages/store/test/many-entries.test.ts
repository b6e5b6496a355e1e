import { describe, expect, it } from "vitest";
import { bytes, testStore } from "./support.ts";

describe("more entries than the writer remembers", () => {
  it("are counted and versioned as any others", { timeout: 60_000 }, async () => {
    await using store = await testStore();
    const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}`);
    for (const namespace of ["one", "two"])
      await Promise.all(keys.map((key) => store.kv.set(namespace, key, bytes("1"))));
    // By now the first ones are forgotten; they are found again in the file.
    const again = await Promise.all(keys.map((key) => store.kv.set("one", key, bytes("22"))));
    expect(again.map(({ version }) => version)).toEqual(keys.map((_, index) => 20_001 + index));
    const length = keys.reduce((sum, key) => sum + key.length, 0);
    expect(store.kv.usage("one")).toEqual({ entries: 20_000, bytes: length + 40_000 });
    expect(store.kv.usage("two")).toEqual({ entries: 20_000, bytes: length + 20_000 });
    await Promise.all(keys.map((key) => store.kv.delete("two", key)));
    expect(store.kv.usage("two")).toEqual({ entries: 0, bytes: 0 });
    await expect(store.kv.set("one", "k5", bytes("x"), { expectedVersion: 6 })).rejects.toThrow(/has version 20006/);
  });
});
