import { describe, expect, it } from "vitest";
import type { SuiteResult } from "../result-file.ts";
import { barChart } from "./chart.ts";
import { makePage } from "./page.ts";

const machine = {
  cpu: "Test <CPU>",
  cores: 2,
  memoryMiB: 2048,
  system: "linux",
  node: "v26",
  loadBefore: 3.5,
  date: "2026-01-01",
};

function result(suite: string, name: string, more: Partial<SuiteResult>): SuiteResult {
  const rest = { unit: "calls/s", ours: 200_000, peer: 4_000, peerName: "grpc-js relay", rounds: 5 };
  return { suite, name, ratio: 50, spread: [45, 55], ...rest, ...more };
}

describe("makePage", () => {
  const page = makePage({
    results: [
      result("hub", "call/fd-hub-fd/64", {}),
      result("hub", "cpu/fd-hub-fd/64", { unit: "us CPU", ours: 2.5, peer: 200, ratio: 80 }),
    ],
    failures: [{ suite: "mcp", error: "x" }],
    machine,
  });
  const text = page.get("performance.md")!;

  it("says of each aim whether it was reached", () => {
    expect(text).toMatch(/^\| fd → hub → fd, calls\/s .* \| ≥ 60× \| 50× \| \*\*not reached\.\*\* \w/m);
    expect(text).toMatch(/^\| hub CPU per call on fd links \| ≤ 3 us CPU \| 2\.5 us CPU \| reached \|$/m);
    expect(text).toMatch(/^\| peek and splice .* \| ≥ 50 \| not measured \| \|$/m);
  });

  it("has every figure, the load of the machine and the suites that failed", () => {
    expect(text).toContain(
      "| call/fd-hub-fd/64 | 200,000 calls/s | 4,000 calls/s | grpc-js relay | 50.00× | 45.00–55.00 |",
    );
    expect(text).toContain("3.5 before");
    expect(text).toContain("Suite `mcp` failed");
  });

  it("says whether the existing programs were measured", () => {
    expect(text).toContain("They were not measured in this run");
    const results = [result("mcp", "get_feature/stdio-unix-hub-fd (Go chain)", { peerName: "Go chain" })];
    expect(makePage({ results, failures: [], machine }).get("performance.md")).not.toContain(
      "not measured in this run",
    );
  });

  it("links the charts that it makes, and no others", () => {
    const links = [...text.matchAll(/\]\((assets\/[^)]+)\)/g)].map(([, file]) => file);
    expect(links).toEqual([...page.keys()].filter((name) => name.startsWith("assets/")));
    expect(links).toEqual(["assets/calls-per-second.svg", "assets/hub-cpu.svg"]);
  });
});

describe("barChart", () => {
  const widths = (svg: string) => [...svg.matchAll(/<rect [^>]*width="(\d+)"/g)].map(([, width]) => Number(width));
  const bars = (...values: number[]) => values.map((value) => ({ label: "a<b>&", value, isOurs: value === 1 }));

  it("draws lengths in proportion, or by the logarithm", () => {
    expect(widths(barChart(bars(1, 100), { title: "t", unit: "us" }))).toEqual([4, 400]);
    expect(widths(barChart(bars(1, 100), { title: "t", unit: "us", logarithmic: true }))).toEqual([133, 400]);
  });

  it("escapes what it is given", () => {
    const svg = barChart(bars(1), { title: "x & y", unit: "us" });
    expect(svg).toContain("a&lt;b&gt;&amp;");
    expect(svg).not.toMatch(/a<b>/);
    expect(svg.match(/class="ours"/g)).toHaveLength(1);
  });
});
