import { filePathsIn, sectionOf } from "./evidence.ts";

/** What must be shown before a feature moves on. */
export interface Gate {
  readonly name: string;
  /** The evidence has a section of this name … */
  readonly section: string;
  /** … which names at least one file that fits. */
  readonly files: string;
  /** Absent: any file will do. */
  readonly fits?: (path: string) => boolean;
  readonly example: string;
}

export type GateVerdict =
  | { readonly passed: true }
  | { readonly passed: false; readonly code: "gate_blocked" | "needs_approval"; readonly message: string };

/** A section with less than this says nothing. */
const MIN_SECTION_LENGTH = 10;

/** How the names of test files end in the usual test frameworks; compared without case. */
export const TEST_SUFFIXES = [
  "_test.go",
  ".test.ts",
  ".test.tsx",
  ".spec.ts",
  ".spec.tsx",
  "_test.rs",
  ".test.js",
  ".spec.js",
  ".test.py",
  "_test.py",
  "_test.dart",
  ".test.rb",
  "_spec.rb",
] as const;

/** `LoginTest.java`, `LoginTests.swift`. With case, or `latest.java` would be a test. */
const TEST_CLASS = /Tests?\.(?:swift|kt|java|cs)$/;

export const CODE_COMPLETE: Gate = {
  name: "Code Complete",
  section: "Changes",
  files: "at least one file path",
  example: "## Changes\n- src/login.ts (added): checks the password",
};

export const TEST_COMPLETE: Gate = {
  name: "Test Complete",
  section: "Results",
  files: `at least one test file (a name ending in ${TEST_SUFFIXES.slice(0, 5).join(", ")} …)`,
  fits: isTestFile,
  example: "## Results\n- src/login.test.ts: 12 passed, 0 failed",
};

export const DOCS_COMPLETE: Gate = {
  name: "Docs Complete",
  section: "Docs",
  files: "at least one Markdown file under docs/",
  fits: isDocsFile,
  example: "## Docs\n- docs/login.md: how to sign in",
};

/**
 * Checks evidence against a gate. A missing part blocks; files of the wrong kind need the approval of a person.
 * @param force that approval was given
 */
export function checkGate(gate: Gate, evidence: string, force: boolean): GateVerdict {
  const blocked = (problem: string): GateVerdict => ({
    passed: false,
    code: "gate_blocked",
    message: `Gate "${gate.name}" is closed: ${problem}. Evidence that passes looks like this:\n\n${gate.example}`,
  });
  if (evidence.trim() === "") return blocked("the evidence is empty");
  const section = sectionOf(evidence, gate.section);
  if (section === undefined) return blocked(`the evidence has no section "## ${gate.section}"`);
  if ([...section].length < MIN_SECTION_LENGTH) {
    return blocked(`section "## ${gate.section}" has less than ${MIN_SECTION_LENGTH} characters`);
  }
  const files = filePathsIn(section);
  if (files.length === 0) return blocked(`section "## ${gate.section}" names no file path`);
  if (force || gate.fits === undefined || files.some(gate.fits)) return { passed: true };
  return {
    passed: false,
    code: "needs_approval",
    message:
      `Gate "${gate.name}" wants ${gate.files}, but the evidence names only ${files.join(", ")}. ` +
      "Ask the user; if they agree, call again with force=true",
  };
}

export function isTestFile(path: string): boolean {
  const lower = path.toLowerCase();
  return TEST_SUFFIXES.some((suffix) => lower.endsWith(suffix)) || TEST_CLASS.test(path);
}

export function isDocsFile(path: string): boolean {
  const lower = path.toLowerCase();
  return lower.endsWith(".md") && (lower.startsWith("docs/") || lower.includes("/docs/"));
}
