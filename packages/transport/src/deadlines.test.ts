import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Deadlines, type Timed } from "./deadlines.ts";

describe("Deadlines", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: 1_000_000 }));
  afterEach(() => void vi.useRealTimers());

  /** Notes how many milliseconds after the start each of them was told. */
  function setUp(...afterMs: number[]) {
    const deadlines = new Deadlines();
    const told: [at: number, by: number][] = [];
    const timed = afterMs.map((ms): Timed => {
      const deadlineMs = 1_000_000 + ms;
      return { deadlineMs, expired: () => told.push([ms, Date.now() - 1_000_000]) };
    });
    for (const one of timed) deadlines.add(one);
    return { deadlines, told, timed };
  }

  it("tells each at its time, in whatever order they came", async () => {
    const { told } = setUp(500, 20, 20, 30_000);
    await vi.advanceTimersByTimeAsync(19);
    expect(told).toEqual([]);
    await vi.advanceTimersByTimeAsync(40_000);
    expect(told).toEqual([
      [20, 20],
      [20, 20],
      [500, 500],
      [30_000, 30_000],
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("tells nothing to those that were over before, and holds one timer at most", async () => {
    const { deadlines, told, timed } = setUp(10, 20, Number.POSITIVE_INFINITY);
    expect(vi.getTimerCount()).toBe(1);
    for (const one of timed) deadlines.delete(one);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("tells what is past already soon, and waits longer than a timer can", async () => {
    const month = 31 * 24 * 3_600_000;
    const { told } = setUp(-5, month);
    await vi.advanceTimersByTimeAsync(1);
    expect(told.map(([at]) => at)).toEqual([-5]);
    await vi.advanceTimersByTimeAsync(month - 2);
    expect(told).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(told.at(-1)).toEqual([month, month]);
  });

  it("can be added to and taken from by those that it tells", async () => {
    const { deadlines, told, timed } = setUp(50, 60);
    const first: Timed = {
      deadlineMs: 1_000_010,
      expired() {
        deadlines.delete(timed[0]!);
        deadlines.add({ deadlineMs: 1_000_020, expired: () => told.push([20, Date.now() - 1_000_000]) });
      },
    };
    deadlines.add(first);
    await vi.advanceTimersByTimeAsync(100);
    expect(told).toEqual([
      [20, 20],
      [60, 60],
    ]);
  });
});
