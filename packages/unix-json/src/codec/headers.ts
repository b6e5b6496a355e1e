import type { HttpHeader } from "@orchestrator/protocol";
import { isObject } from "./json.ts";

/** What HTTP allows in a name. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
/** What HTTP allows in a value: one line of Latin-1. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** More than any server takes; a plugin must not make the hub hold more. */
const MAX_HEADERS = 1_000;

/**
 * The headers of a response: name → text, or name → list of texts for a name that stands more than once (`set-cookie`). Names
 * come out in lower case. What is no header is left out, and said so.
 */
export function readHeaders(value: unknown, remarks: string[]): HttpHeader[] {
  if (value === undefined || value === null) return [];
  if (!isObject(value)) {
    remarks.push("its headers are no object");
    return [];
  }
  const headers: HttpHeader[] = [];
  let left = 0;
  for (const [name, given] of Object.entries(value)) {
    for (const one of Array.isArray(given) ? given : [given]) {
      const text = typeof one === "number" || typeof one === "boolean" ? String(one) : one;
      const fits = NAME.test(name) && typeof text === "string" && VALUE.test(text) && headers.length < MAX_HEADERS;
      if (fits) headers.push({ name: name.toLowerCase(), value: text });
      else left += 1;
    }
  }
  if (left > 0) remarks.push(`${left} of its headers are none`);
  return headers;
}
