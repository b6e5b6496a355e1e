import { expect, it } from "vitest";
import type { TestReport } from "./report.ts";
import { ON_REQUEST, type SummaryOptions, summarise } from "./summary.ts";

const good: SummaryOptions = { requireAll: false, runnerFailed: false };
const report = (part: Partial<TestReport>): TestReport => ({ passed: 0, failed: [], skipped: [], errors: [], ...part });
const skipped = (...names: string[]) => names.map((name) => ({ name: `a.test.ts > ${name}`, reason: "Go is absent" }));

it("sums over all packages and ends with the plain line", () => {
  const results = [
    { name: "a", report: report({ passed: 3 }) },
    { name: "b", report: report({ passed: 4, failed: [{ name: "b.test.ts > adds", message: "expected 1 to be 2" }] }) },
  ];
  expect(summarise(results, { ...good, runnerFailed: true })).toEqual({
    lines: ["failed:  b: b.test.ts > adds", "           expected 1 to be 2", "7 passed, 1 failed"],
    failed: 1,
  });
});

it("keeps the beginning of a long message", () => {
  const message = `${"x".repeat(1000)}\n\n${"line\n".repeat(100)}`;
  const { lines } = summarise([{ name: "a", report: report({ failed: [{ name: "t", message }] }) }], good);
  expect(lines).toHaveLength(14);
  expect(lines[1]).toMatch(/^ {11}x{299}…$/);
  expect(lines.slice(2, 13)).toEqual([...Array(10).fill("           line"), "           …"]);
});

it("names what was skipped and why, one line for each group", () => {
  const results = [{ name: "a", report: report({ passed: 1, skipped: skipped("with Go > x", "with Go > y", "z") }) }];
  expect(summarise(results, good).lines).toEqual([
    "skipped: a: a.test.ts > with Go: 2 tests (Go is absent)",
    "skipped: a: a.test.ts > z (Go is absent)",
    "1 passed, 0 failed, 3 skipped",
  ]);
});

it("a skipped test fails where everything is required", () => {
  const results = [{ name: "a", report: report({ passed: 1, skipped: skipped("x", "y") }) }];
  expect(summarise(results, { ...good, requireAll: true })).toMatchObject({
    failed: 2,
    lines: expect.arrayContaining(["1 passed, 2 failed"]),
  });
});

it("a test that runs on request alone is skipped all the same, and named", () => {
  const onRequest = [{ name: "a.test.ts > theirs", reason: `${ON_REQUEST}nobody named a directory` }];
  const results = [{ name: "a", report: report({ passed: 1, skipped: [...onRequest, ...skipped("x")] }) }];
  expect(summarise(results, { ...good, requireAll: true })).toEqual({
    lines: [
      "skipped: a: a.test.ts > theirs (on request: nobody named a directory)",
      "failed:  a: a.test.ts > x (Go is absent)",
      "1 passed, 1 failed, 1 skipped",
    ],
    failed: 1,
  });
});

it.each([
  ["a package without a report", [{ name: "a", report: undefined }], good],
  ["a file that did not load", [{ name: "a", report: report({ passed: 1, errors: ["a.test.ts: boom"] }) }], good],
  [
    "a runner that failed for no reason that a report shows",
    [{ name: "a", report: report({ passed: 1 }) }],
    { ...good, runnerFailed: true },
  ],
  ["no test at all", [{ name: "a", report: report({}) }], good],
])("%s counts as one failure", (_what, results, options) => {
  const { lines, failed } = summarise(results, options);
  expect(failed).toBe(1);
  expect(lines.at(-1)).toMatch(/^\d passed, 1 failed$/);
});
