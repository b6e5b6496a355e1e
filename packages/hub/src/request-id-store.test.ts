import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RequestIdStore } from "./request-id-store.ts";

describe("RequestIdStore", () => {
  it("knows each id while it is kept, however they come and go", () => {
    const step = fc.record({ id: fc.string({ unit: "binary", maxLength: 40 }), ends: fc.boolean(), which: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 700 }), (steps) => {
        const store = new RequestIdStore();
        const kept: { place: number; bytes: Uint8Array; id: string }[] = [];
        for (const { id, ends, which } of steps) {
          if (ends && kept.length > 0) {
            const [gone] = kept.splice(which % kept.length, 1);
            store.release(gone!.place);
            continue;
          }
          const text = id.toWellFormed();
          const bytes = new TextEncoder().encode(`<${text}>`);
          const place = store.put(bytes, 1, bytes.length - 1);
          if (bytes.length - 2 <= 64) kept.push({ place, bytes, id: text });
          else if (place !== -1) expect.fail(`An id of ${bytes.length - 2} bytes was put at ${place}`);
        }
        expect(new Set(kept.map(({ place }) => place)).size).toBe(kept.length);
        // One assertion for all: each costs more than what it looks at.
        const found = kept.map(({ place, bytes: { length }, bytes }) => [
          store.text(place, length - 2),
          store.isAt(place, length - 2, bytes, 1, length - 1),
          store.isAt(place, length - 2, bytes, 0, length - 1),
        ]);
        expect(found).toEqual(kept.map(({ id }) => [id, true, false]));
      }),
      { numRuns: 100 },
    );
  });

  it("tells ids of one length apart", () => {
    const store = new RequestIdStore();
    const bytes = new TextEncoder().encode("abcabd");
    const place = store.put(bytes, 0, 3);
    expect(store.isAt(place, 3, bytes, 0, 3)).toBe(true);
    expect(store.isAt(place, 3, bytes, 3, 6)).toBe(false);
  });
});
