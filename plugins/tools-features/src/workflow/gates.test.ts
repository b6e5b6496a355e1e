import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CODE_COMPLETE, checkGate, DOCS_COMPLETE, isDocsFile, isTestFile, TEST_COMPLETE } from "./gates.ts";

const gates = [CODE_COMPLETE, TEST_COMPLETE, DOCS_COMPLETE];

describe("checkGate", () => {
  it.each(gates.map((gate) => [gate.name, gate] as const))("%s passes its own example", (_, gate) => {
    expect(checkGate(gate, gate.example, false)).toEqual({ passed: true });
  });

  it.each(gates.map((gate) => [gate.name, gate] as const))("%s names the first thing that is missing", (_, gate) => {
    const problem = (evidence: string, force = false) => {
      const verdict = checkGate(gate, evidence, force);
      return verdict.passed ? "passed" : `${verdict.code}: ${verdict.message}`;
    };
    expect(problem(" \n")).toContain("gate_blocked: Gate");
    expect(problem(" \n")).toContain("evidence is empty");
    expect(problem("## Other\n- src/long-enough.ts")).toContain(`no section "## ${gate.section}"`);
    expect(problem(`## ${gate.section}\n a.go    `)).toContain("less than 10 characters");
    expect(problem(`## ${gate.section}\nlong enough, and no file`)).toContain("names no file path");
    // Force approves files, not missing parts.
    expect(problem(`## ${gate.section}\nlong enough, and no file`, true)).toContain("gate_blocked");
  });

  it("looks for files inside its section alone", () => {
    expect(checkGate(CODE_COMPLETE, "## Changes\nsomething else\n## More\nsrc/a.ts", false)).toMatchObject({
      passed: false,
      code: "gate_blocked",
    });
  });

  it("asks for approval where the files are of another kind, and takes it", () => {
    const cases = [
      [TEST_COMPLETE, "## Results\n- ran main.go by hand"],
      [DOCS_COMPLETE, "## Docs\n- README.md says it"],
    ] as const;
    for (const [gate, evidence] of cases) {
      expect(checkGate(gate, evidence, false)).toMatchObject({ passed: false, code: "needs_approval" });
      expect(checkGate(gate, evidence, true)).toEqual({ passed: true });
    }
  });

  it("is satisfied by one fitting file among others", () => {
    expect(checkGate(TEST_COMPLETE, "## Results\nmain.go main_test.go", false)).toEqual({ passed: true });
  });

  it("always answers, whatever the evidence", () => {
    const line = fc.oneof(
      fc.constantFrom("## Changes", "## results", "## Docs", "docs/a.md", "a_test.go"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line), fc.constantFrom(...gates), fc.boolean(), (lines, gate, force) => {
        const verdict = checkGate(gate, lines.join("\n"), force);
        if (force && !verdict.passed) expect(verdict.code).toBe("gate_blocked");
      }),
    );
  });
});

describe("test files", () => {
  it.each([
    "a_test.go",
    "src/a.test.ts",
    "a.test.tsx",
    "a.spec.ts",
    "a.spec.tsx",
    "a_test.rs",
    "a.test.js",
    "a.spec.js",
    "a.test.py",
    "a_test.py",
    "A_TEST.GO",
    "a_test.dart",
    "a.test.rb",
    "a_spec.rb",
    "LoginTest.java",
    "LoginTests.swift",
    "LoginTest.kt",
    "LoginTests.cs",
  ])("%s is one", (path) => expect(isTestFile(path)).toBe(true));

  it.each(["main.go", "test.go", "latest.java", "a_test.go.bak", "tests/a.ts", "a.test.md"])("%s is none", (path) =>
    expect(isTestFile(path)).toBe(false),
  );
});

describe("documentation files", () => {
  it.each(["docs/a.md", "docs/b/c.MD", "./docs/a.md", "packages/x/docs/a.md"])("%s is one", (path) =>
    expect(isDocsFile(path)).toBe(true),
  );
  it.each(["README.md", "docs/a.txt", "mydocs/a.md", "docs.md"])("%s is none", (path) =>
    expect(isDocsFile(path)).toBe(false),
  );
});
