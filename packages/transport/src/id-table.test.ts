import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IdTable } from "./id-table.ts";

describe("IdTable", () => {
  it("does what a Map does, whatever the ids", () => {
    const id = fc.oneof(
      fc.integer({ min: -8, max: 40 }),
      fc.maxSafeInteger(),
      fc.nat(5).map((n) => 7 + n * 64),
    );
    const step = fc.record({ op: fc.constantFrom("set", "set", "delete", "get", "clear"), id, value: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const table = new IdTable<number>();
        const model = new Map<number, number>();
        for (const { op, id: key, value } of steps) {
          if (op === "set") {
            table.set(key, value);
            model.set(key, value);
          } else if (op === "delete") expect(table.delete(key)).toBe(model.delete(key));
          else if (op === "clear" && value % 20 === 0) {
            table.clear();
            model.clear();
          }
          expect(table.get(key)).toBe(model.get(key));
          expect(table.has(key)).toBe(model.has(key));
          expect(table.size).toBe(model.size);
        }
        expect(table.values().sort((a, b) => a - b)).toEqual([...model.values()].sort((a, b) => a - b));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["of one side", 2, 1],
    ["of both sides", 1, 0],
    ["of streams", 4, 0],
    ["of streams of the other side", 4, 1],
    ["that wait for a stream", -1, -1],
  ])("has a slot for each of many calls %s", (_, step, first) => {
    const table = new IdTable<number>();
    for (let n = 0; n < 64; n += 1) table.set(first + n * step, n);
    for (let n = 0; n < 64; n += 1) expect(table.get(first + n * step)).toBe(n);
    for (let n = 0; n < 64; n += 1) expect(table.delete(first + n * step)).toBe(true);
    expect(table.size).toBe(0);
    expect(table.get(first)).toBeUndefined();
  });

  it("keeps ten thousand calls that are all open at once", () => {
    const table = new IdTable<number>();
    for (let id = 1; id <= 20_001; id += 2) table.set(id, -id);
    for (let id = 1; id <= 20_001; id += 2) expect(table.get(id)).toBe(-id);
    expect(table.size).toBe(10_001);
  });
});
