/**
 * Runs the tests of every package (or of those that are named) through turbo, two packages at a time, and ends with one line
 * over all of them: `N passed, N failed` (and `, N skipped` where some were). The exit code is 1 where anything failed.
 *
 *   npm test                       everything
 *   npm test -- protocol hub       these packages, by name or folder
 *   npm test -- hub -- -t router   what follows a second -- goes to vitest
 *
 * ORCHESTRATOR_REQUIRE=all makes a skipped test a failure: nothing optional may be missing. Tests that run on request alone,
 * with programs that are not to be had everywhere, stay skipped.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { selectPackages, testedPackages } from "./test/packages.ts";
import { REPORT_FILE, type TestReport } from "./test/report.ts";
import { type SuiteResult, summarise } from "./test/summary.ts";

const root = join(import.meta.dirname, "..");

async function main(args: readonly string[]): Promise<number> {
  const split = args.indexOf("--");
  const names = split < 0 ? args.filter((arg) => !arg.startsWith("-")) : args.slice(0, split);
  const vitestArgs = split < 0 ? args.filter((arg) => arg.startsWith("-")) : args.slice(split + 1);
  const all = testedPackages(root);
  const { selected, unknown } = selectPackages(all, names);
  if (unknown.length > 0) {
    console.error(
      `No package with tests is called ${unknown.join(", ")}. There are: ${all.map((one) => one.short).join(", ")}`,
    );
    return 2;
  }
  const reportOf = (directory: string) => join(root, directory, REPORT_FILE);
  for (const { directory } of selected) rmSync(reportOf(directory), { force: true });
  const ended = await turbo(
    selected.map((one) => `--filter=${one.name}`),
    vitestArgs,
  );
  const results = selected.map(({ name, directory }): SuiteResult => {
    const file = reportOf(directory);
    return { name, report: existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as TestReport) : undefined };
  });
  const { lines, failed } = summarise(results, {
    requireAll: process.env["ORCHESTRATOR_REQUIRE"] === "all",
    runnerFailed: ended !== 0,
  });
  console.log(lines.join("\n"));
  return failed > 0 ? 1 : 0;
}

function turbo(filters: readonly string[], vitestArgs: readonly string[]): Promise<number> {
  const reporter = join(root, "tools", "test", "report.ts");
  const args = [
    "run",
    "test",
    ...filters,
    "--continue=always",
    "--concurrency=2",
    "--env-mode=loose",
    "--log-order=grouped",
  ];
  // CI's two cores run two packages, so a package's own files take turns with its neighbour's; more only makes them wait. One that
  // runs alone has all of the machine; vitest itself would leave a processor idle.
  const workers = filters.length === 1 ? { VITEST_MAX_WORKERS: String(availableParallelism()) } : {};
  const child = spawn(
    join(root, "node_modules", ".bin", "turbo"),
    [...args, "--", "--reporter=default", `--reporter=${reporter}`, ...vitestArgs],
    {
      cwd: root,
      stdio: "inherit",
      env: { ...workers, ...process.env, TURBO_TELEMETRY_DISABLED: "1", TURBO_NO_UPDATE_NOTIFIER: "1" },
      shell: process.platform === "win32",
    },
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on("error", (error) => {
      console.error(`Cannot run turbo: ${error.message}`);
      resolve(1);
    });
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

process.exitCode = await main(process.argv.slice(2));
