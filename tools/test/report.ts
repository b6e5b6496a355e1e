/** A vitest reporter: leaves what a package's run came to in a file. Vitest's own JSON drops why a test was skipped. @module */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Reporter, SerializedError, TestCase, TestModule, Vitest } from "vitest/node";

/** Relative to the package; `.turbo` is ignored by git. */
export const REPORT_FILE = join(".turbo", "test-report.json");

/** What one package's run came to. */
export interface TestReport {
  readonly passed: number;
  readonly failed: readonly FailedTest[];
  readonly skipped: readonly SkippedTest[];
  /** Files that did not load, and errors outside of any test. Each is a failure. */
  readonly errors: readonly string[];
}

export interface FailedTest {
  /** As of a {@link SkippedTest}. */
  readonly name: string;
  /** What it found, one error after the other, each with the line of the test where it was found. */
  readonly message: string;
}

export interface SkippedTest {
  /** `src/peer.test.ts > with Go > connects` */
  readonly name: string;
  /** What `context.skip(reason)` was given, or "". */
  readonly reason: string;
}

export default class TestReporter implements Reporter {
  #root = ".";

  onInit(vitest: Vitest): void {
    this.#root = vitest.config.root;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const file = join(this.#root, REPORT_FILE);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(reportOf(modules, unhandled)));
  }
}

function reportOf(modules: readonly TestModule[], unhandled: readonly SerializedError[]): TestReport {
  let passed = 0;
  const failed: FailedTest[] = [];
  const skipped: SkippedTest[] = [];
  const errors = unhandled.map((error) => `outside of any test: ${error.message}`);
  for (const module of modules) {
    const failedBefore = failed.length;
    for (const test of module.children.allTests()) {
      const result = test.result();
      const name = `${module.relativeModuleId} > ${test.fullName}`;
      if (result.state === "passed") passed += 1;
      else if (result.state === "failed") failed.push({ name, message: messageOf(test) });
      else if (result.state === "skipped") skipped.push({ name, reason: result.note ?? "" });
      else errors.push(`${name}: did not end`);
    }
    // A file that does not load, or a hook that throws, has no failed test of its own.
    if (failed.length === failedBefore && !module.ok()) {
      const messages = module.errors().map((error) => error.message);
      errors.push(`${module.relativeModuleId}: ${messages.join("; ") || "failed outside of its tests"}`);
    }
  }
  return { passed, failed, skipped, errors };
}

function messageOf(test: TestCase): string {
  const errors = test.result().errors ?? [];
  return errors
    .map((error) => {
      const frame = error.stacks?.find(({ file }) => file === test.module.moduleId);
      return `${error.message}${frame === undefined ? "" : ` (line ${frame.line})`}`;
    })
    .join("\n");
}
