import type { Cursor } from "./cursor.ts";
import { skipSpaces } from "./cursor.ts";
import { unusual } from "./unusual.ts";

/**
 * Reads `|`, `|-`, `|+` or one with an indentation hint; leaves the cursor on the line after it.
 * @param parent column of the key or dash that the literal belongs to
 */
export function readLiteral(cursor: Cursor, parent: number): string {
  const { text } = cursor;
  const header = /^\|([1-9])?([-+])?$/.exec(text.slice(cursor.offset, cursor.end));
  if (header === null) return unusual();
  const [, hint, chomp] = header;
  let start = cursor.following;
  const indent = hint ? parent + Number(hint) : skipSpaces(text, start) - start;
  // A first line without text is where readers differ.
  if (indent <= parent || text.charCodeAt(skipSpaces(text, start)) === 0x0a) unusual();
  const lines: string[] = [];
  let content = 0;
  while (start < text.length) {
    const end = text.indexOf("\n", start);
    const column = skipSpaces(text, start) - start;
    const blank = start + column === end;
    if (!blank && column < indent) {
      if (column > parent || text.charCodeAt(start + column) === 0x09) unusual();
      break;
    }
    lines.push(column > indent || !blank ? text.slice(start + indent, end) : "");
    // A line of more spaces than the indentation is content, if only of spaces.
    if (!blank || column > indent) content = lines.length;
    start = end + 1;
  }
  if (content === 0) unusual();
  cursor.nextLine(start);
  const body = lines.slice(0, content).join("\n");
  if (chomp === "-") return body;
  return chomp === "+" ? `${body}${"\n".repeat(lines.length - content + 1)}` : `${body}\n`;
}
