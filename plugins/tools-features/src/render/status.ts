import type { Feature } from "../records/feature.ts";
import { STATUSES } from "../workflow/states.ts";
import { table } from "./table.ts";

/** How many features stand in each status, in the order of the workflow; words that it does not know come last. */
export function statusCounts(features: readonly Feature[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>(STATUSES.map((status) => [status, 0]));
  for (const { status } of features) counts.set(status, (counts.get(status) ?? 0) + 1);
  return Object.fromEntries([...counts].filter(([, count]) => count > 0));
}

export function statusTable(features: readonly Feature[]): string {
  const rows = Object.entries(statusCounts(features)).map(([status, count]) => [status, String(count)]);
  return table(["Status", "Count"], [...rows, ["**Total**", `**${features.length}**`]]);
}
