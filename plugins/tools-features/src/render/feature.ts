import { type Feature, kindOf } from "../records/feature.ts";
import { bullets } from "./bullets.ts";
import { oneLine, recordTable } from "./table.ts";

/** Heading, bullets, and the description if there is one. */
export function featureBlock(feature: Feature): string {
  const lines = [
    `### ${feature.id} — ${oneLine(feature.title)}`,
    ...bullets([
      ["Status", feature.status],
      ["Priority", feature.priority],
      ["Kind", feature.kind],
      ["Assignee", feature.assignee],
      ["Estimate", feature.estimate],
      ["Labels", feature.labels.join(", ")],
    ]),
  ];
  return feature.description === "" ? lines.join("\n") : `${lines.join("\n")}\n\n${feature.description}`;
}

/** @param isLocked tells which features to mark as locked by another session; without it none is */
export function featureTable(
  header: string,
  features: readonly Feature[],
  options: { readonly none?: string; readonly isLocked?: (feature: Feature) => boolean } = {},
): string {
  const rows = features.map((feature) => [
    feature.id,
    feature.title,
    options.isLocked?.(feature) ? `${feature.status} [locked by other session]` : feature.status,
    feature.priority,
    kindOf(feature),
    feature.assignee || "—",
  ]);
  const columns = ["ID", "Title", "Status", "Priority", "Kind", "Assignee"];
  return recordTable(header, columns, rows, options.none ?? "No features found.");
}
