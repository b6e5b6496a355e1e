/**
 * `pnpm bench:update [FILTER] [--baseline FILE] [--rounds N]`: measures as the gate does, three times, and writes the baseline anew; with a
 * filter, that of these suites alone. The commit says why the figures may change.
 */
import { existsSync } from "node:fs";
import { makeBaseline, readBaseline, writeBaseline } from "./gate/baseline.ts";
import { parseGateOptions } from "./gate/gate-options.ts";
import { shortRun } from "./gate/short-run.ts";
import type { SuiteResult } from "./result-file.ts";

const RUNS = 3;
const { filter, baseline: file, rounds } = parseGateOptions(process.argv.slice(2));
const runs: (readonly SuiteResult[])[] = [];
for (let run = 0; run < RUNS; run += 1) {
  const { results, failures } = await shortRun(filter, rounds);
  if (failures.length > 0) {
    console.error("The baseline stays as it is: a suite failed");
    process.exit(1);
  }
  runs.push(results);
}
const fresh = makeBaseline(runs).results;
const measured = new Set(fresh.map(({ suite }) => suite));
const old = filter !== "" && existsSync(file) ? readBaseline(file).results : [];
const results = [...old.filter(({ suite }) => !measured.has(suite)), ...fresh];
writeBaseline(file, { results });
console.log(`${file}: ${fresh.length} benchmarks measured, ${results.length} in all`);
