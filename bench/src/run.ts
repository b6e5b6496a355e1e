/** `pnpm bench [FILTER] [--json FILE] [--rounds N] [--scale X]`: ours beside a peer, interleaved, medians and ratios. */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Result, Suite } from "./suite.ts";
import { hubSuite } from "./suites/hub.ts";
import { protocolSuite } from "./suites/protocol.ts";
import { structSuite } from "./suites/struct.ts";

const suites: readonly Suite[] = [protocolSuite, structSuite, hubSuite];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "string" },
    rounds: { type: "string", default: "5" },
    scale: { type: "string", default: "1" },
  },
});
const filter = new RegExp(positionals[0] ?? "");
const chosen = suites.filter(({ name }) => filter.test(name));
if (chosen.length === 0) {
  console.error(`No suite matches "${filter.source}". There are: ${suites.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
const results: Result[] = [];
for (const suite of chosen) {
  results.push(
    ...(await suite.run({
      rounds: Number(values.rounds),
      scale: Number(values.scale),
      progress: (text) => process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : ""),
    })),
  );
}
if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
print(results);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ results }, null, 2)}\n`);

function print(rows: readonly Result[]): void {
  const number = (value: number) => value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 1 : 0 });
  const cells = rows.map(({ name, unit, ours, peer, peerName, ratio, spread }) => [
    name,
    `${number(ours)} ${unit}`,
    `${number(peer)} ${unit}`,
    peerName,
    `${ratio.toFixed(2)}×`,
    `${spread[0].toFixed(2)}–${spread[1].toFixed(2)}`,
  ]);
  const table = [["benchmark", "ours", "peer", "peer is", "ratio", "spread"], ...cells];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    );
}
