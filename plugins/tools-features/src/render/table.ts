/** `## <header> (<n>)` and a table, or `## <header>` and a sentence where there is nothing to show. */
export function recordTable(
  header: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  none: string,
): string {
  if (rows.length === 0) return `## ${header}\n\n${none}`;
  return `## ${header} (${rows.length})\n\n${table(columns, rows)}`;
}

export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(columns), row(columns.map(() => "---")), ...rows.map(row)].join("\n");
}

function row(cells: readonly string[]): string {
  return `| ${cells.map(cell).join(" | ")} |`;
}

/** A line break would end the row, a bar the cell. */
function cell(text: string): string {
  return oneLine(text).replaceAll("|", "\\|");
}

/** For headings and bullets, which end where their line ends. */
export function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ");
}
