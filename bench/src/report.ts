/** `node bench/src/report.ts RESULTS.json [DIRECTORY]`: makes docs/performance.md and its charts of a run's results. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makePage } from "./report/page.ts";
import type { ResultFile } from "./result-file.ts";

const [file, directory = join(import.meta.dirname, "..", "..", "docs")] = process.argv.slice(2);
if (file === undefined) {
  console.error("node bench/src/report.ts RESULTS.json [DIRECTORY]");
  process.exit(2);
}
const page = makePage(JSON.parse(readFileSync(file, "utf8")) as ResultFile);
for (const [name, text] of page) {
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(path);
}
