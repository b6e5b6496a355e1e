import type { CapabilityKind, CapabilityPattern } from "./types.ts";

const KINDS: readonly CapabilityKind[] = ["tool", "prompt", "storage", "ai", "event", "http"];

/** `tool:get_*` → kind and name; a name without a kind is a tool. */
export function parseCapability(text: string): CapabilityPattern {
  const colon = text.indexOf(":");
  const kind = KINDS.find((candidate) => candidate === text.slice(0, Math.max(0, colon)));
  return kind === undefined ? { kind: "tool", name: text } : { kind, name: text.slice(colon + 1) };
}

/**
 * An HTTP route: "/" and one or more segments, no "/" at the end. Segments begin with a letter, a digit or "_", so there are no
 * "." and ".."; nothing in it needs an escape.
 */
export const HTTP_ROUTE_PATTERN = "(?:/[A-Za-z0-9_][A-Za-z0-9._~-]{0,127}){1,16}";
const HTTP_ROUTE = new RegExp(`^${HTTP_ROUTE_PATTERN}$`);

export function isHttpRoute(text: string): boolean {
  return HTTP_ROUTE.test(text);
}

/** Whether a name fits a pattern in which `*` stands for any characters, also none. Linear in both lengths' product at worst. */
export function matchesName(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let mark = 0;
  while (n < name.length) {
    if (pattern[p] === "*") {
      star = p++;
      mark = n;
    } else if (pattern[p] === name[n]) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      n = ++mark;
    } else return false;
  }
  while (pattern[p] === "*") p += 1;
  return p === pattern.length;
}

/** Whether a capability fits a pattern. */
export function matchesCapability(pattern: CapabilityPattern, kind: CapabilityKind, name: string): boolean {
  return pattern.kind === kind && matchesName(pattern.name, name);
}
