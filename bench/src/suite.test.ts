import { describe, expect, it } from "vitest";
import { median, summarize } from "./suite.ts";

describe("summarize", () => {
  it("turns times around, so that above 1 is better", () => {
    const pairs = [
      { ours: 10, peer: 40 },
      { ours: 20, peer: 40 },
      { ours: 5, peer: 50 },
    ];
    const result = summarize("call/x", "us", "peer", pairs);
    expect(result).toMatchObject({ ours: 10, peer: 40, ratio: 4, spread: [2, 10], rounds: 3 });
  });

  it("takes the median of the rounds' ratios, not the ratio of the medians", () => {
    const pairs = [
      { ours: 100, peer: 10 },
      { ours: 10, peer: 10 },
      { ours: 90, peer: 30 },
    ];
    expect(summarize("x/y", "calls/s", "peer", pairs)).toMatchObject({ ours: 90, peer: 10, ratio: 3, spread: [1, 10] });
  });

  it.each(["us", "ms", "us CPU", "MiB", "% CPU"])("takes less %s for better", (unit) => {
    expect(summarize("x/y", unit, "peer", [{ ours: 1, peer: 2 }]).ratio).toBe(2);
  });
});

describe("median", () => {
  it("is the middle one, or the mean of the middle two", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });
});
