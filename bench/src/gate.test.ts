import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Baseline, readBaseline, writeBaseline } from "./gate/baseline.ts";

const directory = mkdtempSync(join(tmpdir(), "orchestrator-gate-test-"));
const baseline = join(directory, "baseline.json");

/** Runs a program of this directory to its end. */
async function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [join(import.meta.dirname, program), ...args], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, ...env },
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, out };
}

const options = ["--baseline", baseline, "--rounds", "3"];

beforeAll(async () => {
  expect(await run("update.ts", ["splice|route", ...options])).toMatchObject({ code: 0 });
  // This is not about how well a busy machine measures: between what holds and what falls lies a factor of four on either side.
  const { results } = readBaseline(baseline);
  writeBaseline(baseline, { results: results.map((entry) => ({ ...entry, margin: 0.8 })) });
}, 300_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("the gate", { timeout: 300_000 }, () => {
  it("lets pass what is as fast as its baseline", async () => {
    const { code, out } = await run("gate.ts", ["splice|route", ...options]);
    expect(out).toMatch(/^Benchmarks: 6 held, 0 failed, 0 new, in \d+ s$/m);
    expect(code).toBe(0);
  });

  it("fails and names the benchmarks when the splice becomes much slower", async () => {
    const { code, out } = await run("gate.ts", ["splice", ...options], { ORCHESTRATOR_BENCH_SLOW: "splice" });
    expect(out).toMatch(/^FELL {5}splice\/616B: [\d.]+×, baseline [\d.]+× less a margin of \d+ % is [\d.]+×$/m);
    expect(code).toBe(1);
  });

  it("fails when the router becomes much slower", async () => {
    const { code, out } = await run("gate.ts", ["route", ...options], { ORCHESTRATOR_BENCH_SLOW: "route-call" });
    expect(out).toMatch(/^FELL {5}route-call\/616B: /m);
    expect(code).toBe(1);
  });

  it("guards every suite but the start of programs in the committed baseline", () => {
    const { results } = JSON.parse(readFileSync(join(import.meta.dirname, "..", "baseline.json"), "utf8")) as Baseline;
    const suites = new Set(results.map(({ suite }) => suite));
    for (const suite of ["frame", "peek", "splice", "route", "codec", "link", "hub", "mcp"]) {
      expect(suites).toContain(suite);
    }
  });
});
