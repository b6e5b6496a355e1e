/**
 * Control characters of all kinds, and what ends a line or turns the direction of writing around: a peer's text must not be able
 * to forge a line of the log or to command the operator's terminal. Tabs are harmless.
 */
const UNSAFE = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** The text with every unsafe character written out: a line break becomes `\n`, an escape `\x1b`. */
export function printable(text: string): string {
  return UNSAFE.test(text) ? text.replace(UNSAFE, written) : text;
}

/** As {@link printable}, line by line: for texts of several lines that the hub itself put together. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

function written(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\r") return "\\r";
  const code = character.charCodeAt(0);
  return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** The first `maxLength` characters, with a word about the rest. */
export function shortened(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  return `${text.slice(0, maxLength)}… (${text.length - maxLength} more characters)`;
}
