/** A vitest reporter: leaves what a package's run came to in a file. Vitest's own JSON drops why a test was skipped. @module */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Reporter, SerializedError, TestModule, Vitest } from "vitest/node";

/** Relative to the package; `.turbo` is ignored by git. */
export const REPORT_FILE = join(".turbo", "test-report.json");

/** What one package's run came to. */
export interface TestReport {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly SkippedTest[];
  /** Files that did not load, and errors outside of any test. Each is a failure. */
  readonly errors: readonly string[];
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
  let failed = 0;
  const skipped: SkippedTest[] = [];
  const errors = unhandled.map((error) => `outside of any test: ${error.message}`);
  for (const module of modules) {
    let failedHere = 0;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === "passed") passed += 1;
      else if (result.state === "failed") failedHere += 1;
      else if (result.state === "skipped")
        skipped.push({ name: `${module.relativeModuleId} > ${test.fullName}`, reason: result.note ?? "" });
      else errors.push(`${module.relativeModuleId} > ${test.fullName}: did not end`);
    }
    failed += failedHere;
    // A file that does not load, or a hook that throws, has no failed test of its own.
    if (failedHere === 0 && !module.ok()) {
      const messages = module.errors().map((error) => error.message);
      errors.push(`${module.relativeModuleId}: ${messages.join("; ") || "failed outside of its tests"}`);
    }
  }
  return { passed, failed, skipped, errors };
}
