import type { Result } from "./suite.ts";

/** Four digits that matter, with thousands set apart. */
export function formatNumber(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 });
}

/** The results as text, in columns. */
export function formatTable(results: readonly Result[]): string {
  const cells = results.map(({ name, unit, ours, peer, peerName, ratio, spread }) => [
    name,
    `${formatNumber(ours)} ${unit}`,
    `${formatNumber(peer)} ${unit}`,
    peerName,
    `${ratio.toFixed(2)}×`,
    `${spread[0].toFixed(2)}–${spread[1].toFixed(2)}`,
  ]);
  const table = [["benchmark", "ours", "peer", "peer is", "ratio", "spread"], ...cells];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
