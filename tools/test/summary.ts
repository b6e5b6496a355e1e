import type { SkippedTest, TestReport } from "./report.ts";

/** What is known of one package's run; no report means that its runner died. */
export interface SuiteResult {
  readonly name: string;
  readonly report: TestReport | undefined;
}

/** Starts the reason of tests that run only where somebody asks for them: nobody can be required to have what they need. */
export const ON_REQUEST = "on request: ";

const EXCERPT_LINES = 12;
const EXCERPT_WIDTH = 300;

export interface SummaryOptions {
  /** A skipped test is a failure, unless it runs {@link ON_REQUEST} alone. */
  readonly requireAll: boolean;
  /** The runner of all packages ended with an error. */
  readonly runnerFailed: boolean;
}

/** The closing lines, the last of them `N passed, N failed`; and how many failed. */
export function summarise(
  results: readonly SuiteResult[],
  options: SummaryOptions,
): { lines: string[]; failed: number } {
  const lines: string[] = [];
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for (const { name, report } of results) {
    if (report === undefined) {
      failed += 1;
      lines.push(`failed:  ${name}: the run left no report`);
      continue;
    }
    passed += report.passed;
    failed += report.failed.length + report.errors.length;
    for (const test of report.failed) lines.push(`failed:  ${name}: ${test.name}`, ...excerpt(test.message));
    for (const error of report.errors) lines.push(`failed:  ${name}: ${error}`);
    for (const group of groupSkipped(report.skipped)) {
      const isFailure = options.requireAll && !group.isOnRequest;
      if (isFailure) failed += group.count;
      else skipped += group.count;
      lines.push(`${isFailure ? "failed: " : "skipped:"} ${name}: ${group.text}`);
    }
  }
  if (options.runnerFailed && failed === 0) {
    failed += 1;
    lines.push("failed:  the runner ended with an error, though every report is good");
  }
  if (passed + failed + skipped === 0) {
    failed += 1;
    lines.push("failed:  no test ran");
  }
  lines.push(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  return { lines, failed };
}

/** What a failed test found, short enough for the closing lines: a machine that keeps only the end of its output keeps this. */
function excerpt(message: string): string[] {
  const lines = message.split("\n").filter((line) => line.trim() !== "");
  const shown = lines.length > EXCERPT_LINES ? [...lines.slice(0, EXCERPT_LINES - 1), "…"] : lines;
  return shown.map(
    (line) => `           ${line.length > EXCERPT_WIDTH ? `${line.slice(0, EXCERPT_WIDTH - 1)}…` : line}`,
  );
}

/** Skipped tests of one group and reason share a line: fifty tests that want one absent program are one fact. */
function groupSkipped(skipped: readonly SkippedTest[]): { text: string; count: number; isOnRequest: boolean }[] {
  const groups = new Map<string, { names: string[]; reason: string }>();
  for (const { name, reason } of skipped) {
    const parent = name.split(" > ").slice(0, -1).join(" > ");
    const key = `${parent}\n${reason}`;
    const group = groups.get(key) ?? { names: [], reason };
    group.names.push(name);
    groups.set(key, group);
  }
  return [...groups].map(([key, { names, reason }]) => {
    const what = names.length === 1 ? names[0] : `${key.split("\n")[0]}: ${names.length} tests`;
    const text = `${what} (${reason || "no reason given"})`;
    return { text, count: names.length, isOnRequest: reason.startsWith(ON_REQUEST) };
  });
}
