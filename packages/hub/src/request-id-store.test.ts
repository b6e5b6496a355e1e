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
          if (bytes.length - 2 > 64) expect(place).toBe(-1);
          else kept.push({ place, bytes, id: text });
        }
        expect(new Set(kept.map(({ place }) => place)).size).toBe(kept.length);
        for (const { place, bytes, id } of kept) {
          expect(store.text(place, bytes.length - 2)).toBe(id);
          expect(store.isAt(place, bytes.length - 2, bytes, 1, bytes.length - 1)).toBe(true);
          expect(store.isAt(place, bytes.length - 2, bytes, 0, bytes.length - 1)).toBe(false);
        }
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
