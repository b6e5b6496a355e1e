import type { JsonValue } from "./json.ts";
import { resolvePlain } from "./resolve.ts";
import { unusual } from "./unusual.ts";

/** The first character of a plain scalar, and pairs of characters inside, that would make it something else. */
const NOT_PLAIN = /^[,[\]{}#&*!|>'"%@`]|^[?:-](?: |$)|: |:$| #|[\x00-\x1f\x7f]/;
const PLAIN_WORD = /^[A-Za-z_/][A-Za-z0-9_/. -]*$/;

/** Reads a one-line plain scalar; `text` may end in spaces. */
export function readPlain(text: string): JsonValue {
  const plain = trimSpaces(text);
  if (plain === "[]") return [];
  if (plain === "{}") return {};
  if (!PLAIN_WORD.test(plain) && NOT_PLAIN.test(plain)) unusual();
  return resolvePlain(plain).value;
}

/** Reads `'…'` that fills `text` from `at` to `end`, spaces at the end aside. */
export function readSingle(text: string, at: number, end: number): string {
  const quoted = trimSpaces(text.slice(at + 1, end));
  if (!quoted.endsWith("'")) unusual();
  const body = quoted.slice(0, -1);
  if (!body.includes("'")) return body;
  const parts = body.split("''");
  return parts.some((part) => part.includes("'")) ? unusual() : parts.join("'");
}

/** Only spaces: every other white space of Unicode is content. A regular expression would be quadratic. */
export function trimSpaces(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0x20) end--;
  return end === text.length ? text : text.slice(0, end);
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["0", "\0"],
  ["a", "\x07"],
  ["b", "\b"],
  ["t", "\t"],
  ["n", "\n"],
  ["v", "\v"],
  ["f", "\f"],
  ["r", "\r"],
  ["e", "\x1b"],
  [" ", " "],
  ['"', '"'],
  ["/", "/"],
  ["\\", "\\"],
  ["N", "\u0085"],
  ["_", "\u00a0"],
  ["L", "\u2028"],
  ["P", "\u2029"],
]);
const HEX_DIGITS: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8],
]);

/** Reads `"…"` that fills `text` from `at` to `end`, spaces at the end aside. */
export function readDouble(text: string, at: number, end: number): string {
  const quoted = trimSpaces(text.slice(at + 1, end));
  if (!quoted.endsWith('"')) unusual();
  if (!quoted.includes("\\")) return quoted.indexOf('"') === quoted.length - 1 ? quoted.slice(0, -1) : unusual();
  let value = "";
  let from = 0;
  for (let index = 0; index < quoted.length; index++) {
    const character = quoted[index];
    if (character === '"') return index === quoted.length - 1 ? value + quoted.slice(from, index) : unusual();
    if (character !== "\\") continue;
    value += quoted.slice(from, index);
    const kind = quoted[index + 1] ?? "";
    const hex = HEX_DIGITS.get(kind) ?? 0;
    value += hex === 0 ? (ESCAPES.get(kind) ?? unusual()) : fromHex(quoted.slice(index + 2, index + 2 + hex), hex);
    index += 1 + hex;
    from = index + 1;
  }
  return unusual();
}

function fromHex(digits: string, length: number): string {
  if (digits.length !== length || !/^[0-9A-Fa-f]+$/.test(digits)) return unusual();
  const code = Number.parseInt(digits, 16);
  // Half a surrogate pair is no character.
  return code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? unusual() : String.fromCodePoint(code);
}
