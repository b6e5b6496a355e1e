import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { REPORT_FILE, type TestReport } from "./report.ts";

const modules = join(import.meta.dirname, "..", "..", "node_modules");

/** Runs the real vitest over these files. */
function report(files: Record<string, string>): TestReport {
  const root = mkdtempSync(join(tmpdir(), "orchestrator-report-"));
  try {
    symlinkSync(modules, join(root, "node_modules"));
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(root, name), `import { expect, it, describe, afterAll } from "vitest";\n${text}`);
    const vitest = join(modules, "vitest", "vitest.mjs");
    spawnSync(
      process.execPath,
      [vitest, "run", "--root", root, `--reporter=${join(import.meta.dirname, "report.ts")}`],
      { encoding: "utf8" },
    );
    return JSON.parse(readFileSync(join(root, REPORT_FILE), "utf8")) as TestReport;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

it("counts what passed, failed and was skipped with its reason, and every failure outside of tests", () => {
  expect(
    report({
      "a.test.ts": `
        it("good", () => {});
        it("bad", () => { expect(1).toBe(2); });
        describe("peer", () => { it("absent", (context) => context.skip("Go is absent")); });
        it.skip("later", () => {});`,
      "broken.test.ts": `throw new Error("does not load");`,
      "hook.test.ts": `it("good", () => {}); afterAll(() => { throw new Error("left something behind"); });`,
      "late.test.ts": `it("good", () => { Promise.reject(new Error("nobody waits for me")); });`,
    }),
  ).toEqual({
    passed: 3,
    failed: [{ name: "a.test.ts > bad", message: expect.stringMatching(/^expected 1 to be 2.*\(line 4\)$/s) }],
    skipped: [
      { name: "a.test.ts > peer > absent", reason: "Go is absent" },
      { name: "a.test.ts > later", reason: "" },
    ],
    errors: expect.arrayContaining([
      expect.stringContaining("nobody waits for me"),
      "broken.test.ts: does not load",
      "hook.test.ts: left something behind",
    ]),
  });
});
