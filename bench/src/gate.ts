/**
 * `pnpm bench:gate [FILTER] [--baseline FILE] [--rounds N]`: fails where a benchmark's ratio to its peer has fallen more than its margin below
 * the baseline. Exit code 0 all is well, 1 something fell, is missing or broke, 2 a wrong command line.
 */
import { readBaseline } from "./gate/baseline.ts";
import { parseGateOptions } from "./gate/gate-options.ts";
import { shortRun } from "./gate/short-run.ts";
import { judge, merge, report } from "./gate/verdict.ts";

/** How often a suite that fell or broke is measured again. */
const AGAIN = 2;

const options = parseGateOptions(process.argv.slice(2));
const baseline = readBaseline(options.baseline);
const began = performance.now();
const first = await shortRun(options.filter, options.rounds);
let { results } = first;
let broken = new Set(first.failures.map(({ suite }) => suite));
const suites = new Set([...results.map(({ suite }) => suite), ...broken]);
// Where everything is run, a suite that is gone is missed too.
if (options.filter === "") for (const { suite } of baseline.results) suites.add(suite);
let verdict = judge(baseline, results, suites);

const suspectSuites = () => new Set([...verdict.falls.map(({ entry }) => entry.suite), ...broken]);
// Others may have used the machine just then: what is really slower is slower every time.
for (let attempt = 1; attempt <= AGAIN && suspectSuites().size > 0; attempt += 1) {
  const suspects = suspectSuites();
  console.error(report({ ...verdict, missing: [], added: [] }).join("\n"));
  console.error(`Measuring again: ${[...suspects].join(", ")}`);
  const again = await shortRun(`^(?:${[...suspects].join("|")})$`, options.rounds);
  results = merge(results, again.results);
  broken = new Set(again.failures.map(({ suite }) => suite));
  verdict = judge(baseline, results, suites);
}

const lines = [...report(verdict), ...[...broken].map((suite) => `BROKEN   suite ${suite} failed every time`)];
if (lines.length > 0) console.log(lines.join("\n"));
const bad = verdict.falls.length + verdict.missing.length + broken.size;
const seconds = Math.round((performance.now() - began) / 1_000);
const held = results.length - verdict.falls.length - verdict.added.length;
console.log(`Benchmarks: ${held} held, ${bad} failed, ${verdict.added.length} new, in ${seconds} s`);
process.exit(bad > 0 ? 1 : 0);
