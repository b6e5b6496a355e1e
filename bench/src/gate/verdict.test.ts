import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SuiteResult } from "../result-file.ts";
import { makeBaseline, readBaseline, writeBaseline } from "./baseline.ts";
import { judge, merge, report } from "./verdict.ts";

function result(name: string, ratio: number, worst = ratio): SuiteResult {
  const rest = { unit: "us", ours: 1, peer: ratio, peerName: "peer", rounds: 5 };
  return { suite: name.split("/")[0]!, name, ratio, spread: [worst, ratio * 1.1], ...rest };
}

const baseline = {
  results: [
    { suite: "hub", name: "hub/a", ratio: 10, margin: 0.3 },
    { suite: "hub", name: "hub/b", ratio: 2, margin: 0.25 },
    { suite: "link", name: "link/c", ratio: 5, margin: 0.25 },
  ],
};
const both = new Set(["hub", "link"]);

describe("judge", () => {
  it("lets a ratio fall to its margin and no further", () => {
    const results = [result("hub/a", 7.001), result("hub/b", 1.499), result("link/c", 50)];
    const { falls, missing, added } = judge(baseline, results, both);
    expect(falls.map(({ entry, now }) => [entry.name, now])).toEqual([["hub/b", 1.499]]);
    expect([missing, added]).toEqual([[], []]);
  });

  it("takes a ratio that is no number for a fall", () => {
    const results = [result("hub/a", Number.NaN), result("hub/b", 2), result("link/c", 5)];
    expect(judge(baseline, results, both).falls.map(({ entry }) => entry.name)).toEqual(["hub/a"]);
  });

  it("says what is missing and what is new, of the suites that were run", () => {
    const verdict = judge(baseline, [result("hub/b", 2), result("hub/x", 1)], new Set(["hub"]));
    expect(verdict.missing.map(({ name }) => name)).toEqual(["hub/a"]);
    expect(verdict.added.map(({ name }) => name)).toEqual(["hub/x"]);
  });
});

describe("report", () => {
  it("names benchmark, baseline, now and margin", () => {
    const verdict = judge(baseline, [result("hub/a", 6), result("hub/x", 1)], both);
    expect(report(verdict)).toEqual([
      "FELL     hub/a: 6.00×, baseline 10.00× less a margin of 30 % is 7.00×",
      "MISSING  hub/b: in the baseline, but suite hub did not measure it",
      "MISSING  link/c: in the baseline, but suite link did not measure it",
      "NEW      hub/x: 1.00×, not in the baseline; pnpm bench:update",
    ]);
  });
});

describe("merge", () => {
  it("keeps the better of two measurements, and what was measured once", () => {
    const first = [result("hub/a", 1), result("hub/c", 4), result("link/c", 5), result("hub/d", Number.NaN)];
    const again = [result("hub/a", 9), result("hub/b", 2), result("hub/c", 3), result("hub/d", 6)];
    expect(merge(first, again).map(({ name, ratio }) => [name, ratio])).toEqual([
      ["hub/a", 9],
      ["hub/c", 4],
      ["link/c", 5],
      ["hub/d", 6],
      ["hub/b", 2],
    ]);
  });
});

describe("makeBaseline", () => {
  it("takes the median of the runs and a margin beyond the worst round of the median run", () => {
    const { results } = makeBaseline([
      [result("peek/a", 10, 8)],
      [result("peek/a", 12, 3)],
      [result("peek/a", 11, 10)],
    ]);
    expect(results).toMatchObject([{ suite: "peek", name: "peek/a", ratio: 11 }]);
    expect(results[0]!.margin).toBeCloseTo(0.1 + 1 - 8 / 11);
  });

  it("keeps margins between a quarter and six tenths, and above four where processes meet", () => {
    const { results } = makeBaseline([[result("peek/a", 10, 10), result("peek/b", 10, 1)]]);
    expect(results.map(({ margin }) => margin)).toEqual([0.25, 0.6]);
    const [among] = makeBaseline([[result("hub/a", 10, 10)]]).results;
    expect(among!.margin).toBe(0.4);
  });
});

describe("the file", () => {
  it("is read as it was written, and refused when it is something else", () => {
    const directory = mkdtempSync(join(tmpdir(), "orchestrator-baseline-"));
    try {
      const file = join(directory, "baseline.json");
      writeBaseline(file, baseline);
      expect(readBaseline(file)).toEqual(baseline);
      writeFileSync(file, '{ "results": [{ "name": "x" }] }');
      expect(() => readBaseline(file)).toThrow("is not a baseline");
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
