import jsonc from "jsonc-parser";

/** How a text is laid out. */
export interface Layout {
  /** One step of indentation. */
  readonly indent: string;
  readonly eol: "\n" | "\r\n";
}

/** That of the first indented line; two spaces where there is none. */
export function layoutOf(text: string): Layout {
  return { indent: /^([ \t]+)\S/m.exec(text)?.[1] ?? "  ", eol: text.includes("\r\n") ? "\r\n" : "\n" };
}

/** Puts another value in the place of one. */
export function replaceValue(text: string, node: jsonc.Node, value: unknown, layout: Layout): string {
  const written = write(value, lineIndent(text, node.offset), layout);
  return text.slice(0, node.offset) + written + text.slice(node.offset + node.length);
}

/**
 * Adds a property as the last one of an object. What stands around it keeps its place: a comment behind the property that was
 * the last one so far stays with that.
 */
export function insertProperty(
  text: string,
  object: jsonc.Node,
  { key, value }: { readonly key: string; readonly value: unknown },
  layout: Layout,
): string {
  const outer = lineIndent(text, object.offset);
  const properties = object.children ?? [];
  const end = object.offset + object.length - 1;
  const last = properties.at(-1);
  if (last === undefined) {
    const inner = outer + layout.indent;
    const before = text.slice(0, end).trimEnd();
    return `${before}${layout.eol}${inner}${JSON.stringify(key)}: ${write(value, inner, layout)}${layout.eol}${outer}${text.slice(end)}`;
  }
  const ownLine = properties.find((property) => startsItsLine(text, property.offset));
  const inner = ownLine === undefined ? outer + layout.indent : lineIndent(text, ownLine.offset);
  const after = trailingTrivia(text, last.offset + last.length);
  const property = `${layout.eol}${inner}${JSON.stringify(key)}: ${write(value, inner, layout)}${after.comma ? "," : ""}`;
  const kept = text.slice(last.offset + last.length, after.end);
  const rest = after.sameLine ? `${layout.eol}${outer}${text.slice(end)}` : text.slice(after.end);
  return `${text.slice(0, last.offset + last.length)}${after.comma ? "" : ","}${kept}${property}${rest}`;
}

/** What follows the last property on its line: a comma, comments. `sameLine`: the closing brace stands there too. */
function trailingTrivia(text: string, from: number): { comma: boolean; end: number; sameLine: boolean } {
  const scanner = jsonc.createScanner(text, false);
  scanner.setPosition(from);
  let comma = false;
  let end = from;
  for (;;) {
    const kind = scanner.scan();
    if (kind === KIND.closeBrace) return { comma, end, sameLine: true };
    if (kind === KIND.lineBreak || kind === KIND.end) return { comma, end, sameLine: false };
    if (kind === KIND.comma) comma = true;
    if (kind !== KIND.space) end = scanner.getTokenOffset() + scanner.getTokenLength();
  }
}

/** The library declares these as a const enum, which cannot be used where each file is compiled on its own. */
const KIND = { closeBrace: 2, comma: 5, lineBreak: 14, space: 15, end: 17 } as const satisfies Record<string, number>;

function write(value: unknown, indent: string, { indent: step, eol }: Layout): string {
  return JSON.stringify(value, null, step).replaceAll("\n", `${eol}${indent}`);
}

/** The white space with which the line of `offset` starts. */
function lineIndent(text: string, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start))![0];
}

function startsItsLine(text: string, offset: number): boolean {
  return text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset).trim() === "";
}
