const NAMED: ReadonlyMap<number, string> = new Map([
  [0x00, "\\0"],
  [0x07, "\\a"],
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0b, "\\v"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
  [0x1b, "\\e"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
  [0x85, "\\N"],
  [0xa0, "\\_"],
  [0x2028, "\\L"],
  [0x2029, "\\P"],
]);

/** All that a double-quoted scalar may hold as it is. */
const CLEAN = /^[\x20-\x21\x23-\x5b\x5d-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]*$/;

/** A double-quoted YAML scalar, quotes included; always one line. */
export function quoteDouble(text: string): string {
  if (CLEAN.test(text)) return `"${text}"`;
  // The reference escapes every character of a text that begins with a byte order mark.
  const all = text.startsWith("\ufeff");
  let out = '"';
  // Half of a surrogate pair cannot be written: readers refuse the escape.
  for (const character of text.toWellFormed()) out += !all && CLEAN.test(character) ? character : escaped(character);
  return `${out}"`;
}

function escaped(character: string): string {
  const code = character.codePointAt(0) as number;
  const named = NAMED.get(code);
  if (named !== undefined) return named;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

/** A single-quoted YAML scalar, quotes included, for a text without line breaks. */
export function quoteSingle(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
