import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DeadlineWheel, type Timed } from "./deadline-wheel.ts";

class Item implements Timed {
  wheelPrevious: Timed | undefined = undefined;
  wheelNext: Timed | undefined = undefined;
  wheelTick = -1;
  expiredAt = -1;
  readonly onExpired: (() => void) | undefined;
  constructor(onExpired?: () => void) {
    this.onExpired = onExpired;
  }
  expired(): void {
    this.expiredAt = performance.now();
    this.onExpired?.();
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] }));
afterEach(() => void vi.useRealTimers());

describe("DeadlineWheel", () => {
  it("expires every item once, never early and at most three ticks late; removed ones never", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ ms: fc.integer({ min: 0, max: 20_000 }), removed: fc.boolean() })), (specs) => {
        const wheel = new DeadlineWheel();
        const start = performance.now();
        const items = specs.map(({ ms, removed }) => ({ ms, removed, item: new Item() }));
        for (const { ms, item } of items) wheel.add(item, ms);
        for (const { removed, item } of items) if (removed) wheel.remove(item);
        vi.advanceTimersByTime(21_000);
        for (const { ms, removed, item } of items) {
          if (removed) expect(item.expiredAt).toBe(-1);
          else {
            expect(item.expiredAt - start).toBeGreaterThanOrEqual(ms);
            expect(item.expiredAt - start).toBeLessThanOrEqual(ms + 30);
          }
        }
        expect(wheel.size).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it("has no timer while it is empty", () => {
    const wheel = new DeadlineWheel();
    const item = new Item();
    wheel.add(item, 1_000);
    expect(vi.getTimerCount()).toBe(1);
    wheel.remove(item);
    vi.advanceTimersByTime(20);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("copes with an expiry that removes its neighbours or adds itself again", () => {
    const wheel = new DeadlineWheel();
    const second = new Item();
    const again: Item = new Item(() => {
      wheel.remove(second);
      if (rounds++ === 0) wheel.add(again, 50);
    });
    let rounds = 0;
    wheel.add(second, 100);
    wheel.add(again, 100);
    vi.advanceTimersByTime(1_000);
    expect(rounds).toBe(2);
    expect(second.expiredAt).toBe(-1);
  });

  it("lets what arrived during a standstill be read before it expires anything, and waits no longer than that", () => {
    const wheel = new DeadlineWheel();
    const [answered, silent] = [new Item(), new Item()];
    wheel.add(answered, 500);
    wheel.add(silent, 500);
    vi.advanceTimersByTime(100);
    // The clock goes on while nothing else does.
    const nowMs = performance.now() + 60_000;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    vi.advanceTimersByTime(10);
    expect([answered.expiredAt, silent.expiredAt]).toEqual([-1, -1]);
    wheel.remove(answered);
    vi.advanceTimersByTime(10);
    expect([answered.expiredAt, silent.expiredAt]).toEqual([-1, nowMs]);
    clock.mockRestore();
  });

  it("keeps deadlines in a process that is always late", () => {
    const wheel = new DeadlineWheel();
    const item = new Item();
    wheel.add(item, 500);
    const clock = vi.spyOn(performance, "now");
    let nowMs = performance.now();
    clock.mockImplementation(() => nowMs);
    for (let turn = 0; turn < 4; turn += 1) {
      nowMs += 1_000;
      vi.advanceTimersByTime(10);
    }
    clock.mockRestore();
    expect(item.expiredAt).toBeGreaterThan(0);
  });
});
