/**
 * The configuration's definition → its JSON Schema for editors, and the reference in the docs. `--check` fails when a committed
 * file differs.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configJsonSchema, configTable } from "../packages/config/src/index.ts";

const root = join(import.meta.dirname, "..");
const START = "<!-- generated: reference -->";
const END = "<!-- /generated -->";

const outputs = [
  {
    file: "packages/config/schema/plugins.schema.json",
    make: () => `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
  },
  { file: "docs/configuration.md", make: (old: string) => between(old, configTable()) },
];

let stale = 0;
for (const { file, make } of outputs) {
  const path = join(root, file);
  const old = readFileSync(path, "utf8");
  const fresh = make(old);
  if (old === fresh) continue;
  if (process.argv[2] === "--check") {
    stale += 1;
    console.error(`${file}:1: is stale; run "pnpm generate" and commit the result`);
  } else {
    writeFileSync(path, fresh);
    console.log(`Wrote ${file}`);
  }
}
process.exitCode = stale > 0 ? 1 : 0;

/** Replaces what stands between the two marks. */
function between(text: string, content: string): string {
  const start = text.indexOf(START);
  const end = text.indexOf(END);
  if (start < 0 || end < start) throw new Error(`docs/configuration.md needs the marks ${START} and ${END}`);
  return `${text.slice(0, start + START.length)}\n\n${content}\n\n${text.slice(end)}`;
}
