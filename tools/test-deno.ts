/**
 * Checks every package's types under Deno, runs the demonstration there, and the tests of those packages that promise to work there,
 * with the same vitest; ends like `npm test` with `N passed, N failed`. docs/deno.md says what cannot run there and why.
 *
 *   pnpm test:deno                 all of it
 *   pnpm test:deno protocol        one package's tests
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readEntries, selectPackages, testedPackages } from "./test/packages.ts";
import { REPORT_FILE, type TestReport } from "./test/report.ts";
import { type SuiteResult, summarise } from "./test/summary.ts";

const root = join(import.meta.dirname, "..");
const deno = join(root, "node_modules", ".bin", "deno");

/** What runs under Deno from first to last test. */
const PACKAGES = [
  "config",
  "identity",
  "mcp",
  "protocol",
  "runtime",
  "store",
  "transport",
  "transport-socket",
  "unix-json",
];

/** Files that are left out, and why; docs/deno.md says the same. */
const LEFT_OUT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  runtime: {
    "test/inherited-socket.test.ts": "Deno neither passes a socket on to a child nor opens one that it inherits",
    "src/process/give-back.test.ts": "Deno has no way to ask for the memory back",
    "test/unread-log.test.ts": "Deno writes to stderr without looking whether somebody reads",
  },
};

/** Its own threads pool fails at the end of each file: Deno's parentPort lacks `removeAllListeners`. Processes are fine. */
const VITEST = [
  "run",
  "--allow-all",
  join(root, "node_modules", "vitest", "vitest.mjs"),
  "run",
  "--root",
  ".",
  "--pool=forks",
];

function main(names: readonly string[]): number {
  const promised = testedPackages(root).filter((one) => PACKAGES.includes(one.short));
  const { selected, unknown } = selectPackages(promised, names);
  if (unknown.length > 0) {
    console.error(`${unknown.join(", ")}: not among what runs under Deno (${PACKAGES.join(", ")})`);
    return 2;
  }
  return guarded(() => {
    const entries = readEntries(root);
    console.log(`Checking the types of ${entries.length} modules under Deno`);
    const checked = run(["check", "--quiet", ...entries], root) === 0;
    const suites = selected.map(({ name, short, directory }): SuiteResult => {
      const file = join(root, directory, REPORT_FILE);
      rmSync(file, { force: true });
      const leftOut = Object.entries(LEFT_OUT[short] ?? {});
      for (const [left, why] of leftOut) console.log(`Left out: ${directory}/${left}: ${why}`);
      const excludes = leftOut.map(([left]) => `--exclude=${left}`);
      run(
        [...VITEST, ...excludes, "--reporter=default", `--reporter=${join(root, "tools", "test", "report.ts")}`],
        join(root, directory),
      );
      return { name, report: existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as TestReport) : undefined };
    });
    const results: SuiteResult[] = [single("deno check", checked, "types do not check, see above"), ...suites];
    if (names.length === 0) {
      const demo = run(["run", "--allow-all", join("apps", "orchestrator", "src", "main.ts"), "demo"], root) === 0;
      results.push(single("demonstration", demo, "failed, see above"));
    }
    const requireAll = process.env["ORCHESTRATOR_REQUIRE"] === "all";
    const { lines, failed } = summarise(results, { requireAll, runnerFailed: false });
    console.log(lines.join("\n"));
    return failed > 0 ? 1 : 0;
  });
}

/** One thing that is right or wrong as a whole, as a suite of one test. */
function single(name: string, good: boolean, error: string): SuiteResult {
  return { name, report: { passed: good ? 1 : 0, failed: [], skipped: [], errors: good ? [] : [error] } };
}

function run(args: readonly string[], cwd: string): number {
  const env = { ...process.env, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
  return spawnSync(deno, args, { cwd, stdio: "inherit", env }).status ?? 1;
}

/** When Deno cannot resolve a module it "migrates" pnpm-workspace.yaml into package.json, unasked; that is put back. */
function guarded(action: () => number): number {
  const file = join(root, "package.json");
  const before = readFileSync(file);
  try {
    return action();
  } finally {
    if (!readFileSync(file).equals(before)) writeFileSync(file, before);
  }
}

process.exitCode = main(process.argv.slice(2));
