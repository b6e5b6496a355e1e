export type JsonObject = { readonly [key: string]: unknown };

/** Longest details of one event; what is longer is kept out and said so. */
const MAX_CHARACTERS = 64 * 1_024;
/** Each object in another takes three messages in one another on the wire, and decoders stop at a hundred. */
const MAX_DEPTH = 20;

/** Details that can be told, or the word that they cannot. */
export function boundDetails(text: string): string {
  if (text.length > MAX_CHARACTERS) return JSON.stringify({ omitted: `details of ${text.length} characters` });
  if (isDeep(text)) return JSON.stringify({ omitted: `details in more than ${MAX_DEPTH} levels` });
  return text;
}

/** Whatever stands in the file, an event can be shown. */
export function readDetails(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(boundDetails(text));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : { value };
  } catch {
    return { text };
  }
}

function isDeep(text: string): boolean {
  // Each level has two characters.
  if (text.length <= MAX_DEPTH * 2) return false;
  let depth = 0;
  let isText = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (sign === "\\") at += 1;
    else if (sign === '"') isText = !isText;
    else if (isText) continue;
    else if (sign === "{" || sign === "[") depth += 1;
    else if (sign === "}" || sign === "]") depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}
