import { hubFields } from "./config-shape.ts";
import { overrides } from "./overrides.ts";
import type { Fields, Shape } from "./shape.ts";

const TYPE_NAMES: Readonly<Record<Shape["kind"], string>> = {
  text: "text",
  path: "path",
  flag: "true / false",
  count: "number",
  choice: "",
  texts: "list of texts",
  textMap: "map of texts",
  group: "",
  groups: "list",
};

/** The reference of every key, as Markdown: one table for the hub, one per list of entries, one for variables. */
export function configTable(): string {
  const lists = Object.entries(hubFields).filter(([, shape]) => shape.kind === "groups");
  return [
    "### Keys of the hub",
    ...table(hubFields, ""),
    ...lists.flatMap(([key, shape]) => [
      `### Keys of an entry of \`${key}\``,
      ...table((shape as { fields: Fields }).fields, ""),
    ]),
    "### Variables",
    [
      "| key | variable |",
      "|---|---|",
      ...overrides().map((o) => `| \`${o.path.join(".")}\` | \`${o.variable}\` |`),
    ].join("\n"),
  ].join("\n\n");
}

function table(fields: Fields, prefix: string): string[] {
  return [["| key | type | default | meaning |", "|---|---|---|---|", ...rows(fields, prefix)].join("\n")];
}

function rows(fields: Fields, prefix: string): string[] {
  return Object.entries(fields).flatMap(([key, shape]) => {
    if (shape.kind === "group") return rows(shape.fields, `${prefix}${key}.`);
    const type =
      shape.kind === "choice" ? shape.values.map((value) => `\`${value}\``).join(", ") : TYPE_NAMES[shape.kind];
    const byDefault = shape.defaultText === undefined ? "" : `\`${shape.defaultText}\``;
    return [`| \`${prefix}${key}\` | ${type} | ${byDefault} | ${shape.description.replaceAll("|", "\\|")} |`];
  });
}
