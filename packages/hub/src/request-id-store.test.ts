import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RequestIdStore } from "./request-id-store.ts";

describe("RequestIdStore", () => {
  it("knows each id while it is kept, however they come and go", () => {
    // More come than go, so that the store must grow.
    const unit = fc.nat(0x10ffff).map((code) => String.fromCodePoint(code));
    const step = fc.record({
      id: fc.string({ unit, maxLength: 20, size: "max" }),
      ends: fc.nat(3).map((n) => n === 0),
      which: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1_500, size: "max" }), (steps) => {
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
          else if (place !== -1) return false;
        }
        if (new Set(kept.map(({ place }) => place)).size < kept.length) return false;
        // Each `expect` would cost more than what it looks at.
        const wrong = kept.filter(
          ({ place, bytes, bytes: { length }, id }) =>
            store.text(place, length - 2) !== id ||
            !store.isAt(place, length - 2, bytes, 1, length - 1) ||
            store.isAt(place, length - 2, bytes, 0, length - 1),
        );
        return wrong.length === 0;
      }),
      // Of a failure a short example is looked for no longer than this.
      { numRuns: 30, interruptAfterTimeLimit: 10_000 },
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
