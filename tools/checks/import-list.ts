/** One import, export-from or dynamic import of a source file. */
export interface ImportOf {
  readonly specifier: string;
  readonly line: number;
}

/**
 * Statements at the start of a line, and dynamic imports of a literal. Text inside templates and comments is mostly indented or
 * starred and so does not look like one; what slips through would be reported, never missed.
 */
const STATEMENT = /^(?:import|export)\b(?:[^"';]*?\bfrom)?\s*["']([^"']+)["']/gm;
const DYNAMIC = /(?<![\w.])import\(\s*["']([^"']+)["']\s*\)/g;

/** What a TypeScript or JavaScript text imports, in order of appearance within each kind. */
export function importsOf(text: string): ImportOf[] {
  return [STATEMENT, DYNAMIC].flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => ({
      specifier: match[1]!,
      line: text.slice(0, match.index).split("\n").length,
    })),
  );
}
