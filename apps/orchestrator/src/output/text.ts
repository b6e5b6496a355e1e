const ANSI = /\x1b\[[0-9;]*m/g;

/** How many columns a text takes on a terminal, colours not counted. */
export function width(text: string): number {
  return text.replace(ANSI, "").length;
}

export interface TableOptions {
  /** Columns of the terminal; the last column is cut to fit. Without it nothing is cut. */
  readonly columns?: number | undefined;
  /** In front of each line. */
  readonly indent?: string;
}

/** Lines with the columns of `rows` under each other; the last column is as long as it is. */
export function table(rows: readonly (readonly string[])[], options: TableOptions = {}): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, width(cell));
  }
  const indent = options.indent ?? "";
  return rows.map((row) => {
    const cells = row.map((cell, index) =>
      index === row.length - 1 ? cell : cell + " ".repeat((widths[index] ?? 0) - width(cell)),
    );
    return cut(indent + cells.join("  "), options.columns).trimEnd();
  });
}

/** Cuts to `columns`, with an ellipsis where something is missing. A text with colours is cut only where it ends plain. */
export function cut(text: string, columns: number | undefined): string {
  if (columns === undefined || width(text) <= columns) return text;
  let seen = 0;
  let at = 0;
  let coloured = false;
  while (at < text.length && seen < columns - 1) {
    ANSI.lastIndex = at;
    const code = text[at] === "\x1b" ? ANSI.exec(text) : null;
    if (code !== null && code.index === at) {
      at += code[0].length;
      coloured = true;
      continue;
    }
    at++;
    seen++;
  }
  return `${text.slice(0, at)}…${coloured ? "\x1b[0m" : ""}`;
}

/** `1` → "1 plugin", `2` → "2 plugins". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A time span for people: "0.42 ms", "13 ms", "4.2 s", "3 min", "5 h", "12 days". */
export function span(ms: number): string {
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h`;
  return plural(Math.floor(ms / 86_400_000), "day");
}

/** Bytes for people: "12 KiB", "3.4 MiB". */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = bytes / 1024;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/**
 * Text from somewhere else, made safe for a terminal: control characters, which could move the cursor, hide text or set the
 * title, become visible; tabs and, where allowed, line breaks stay.
 */
export function printable(text: string, options: { readonly multiline?: boolean } = {}): string {
  const unsafe = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
  const visible = text
    .replace(/\r\n/g, "\n")
    .replace(unsafe, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return options.multiline ? visible : visible.replace(/\n/g, "\\n");
}
