import type { JsonValue } from "./json.ts";

/** What an untagged plain scalar means. A timestamp stays text: a Struct has no dates. */
export type Resolved =
  | { readonly tag: "null"; readonly value: null }
  | { readonly tag: "bool"; readonly value: boolean }
  | { readonly tag: "int" | "float"; readonly value: number }
  | { readonly tag: "str" | "timestamp"; readonly value: string };

const WORDS: ReadonlyMap<string, Resolved> = new Map<string, Resolved>([
  ...words("null", null, ["", "~", "null", "Null", "NULL"]),
  ...words("bool", true, ["true", "True", "TRUE"]),
  ...words("bool", false, ["false", "False", "FALSE"]),
  ...words("float", Number.NaN, [".nan", ".NaN", ".NAN"]),
  ...words("float", Number.POSITIVE_INFINITY, [".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"]),
  ...words("float", Number.NEGATIVE_INFINITY, ["-.inf", "-.Inf", "-.INF"]),
]);

function words(tag: Resolved["tag"], value: JsonValue, texts: readonly string[]): [string, Resolved][] {
  return texts.map((text) => [text, { tag, value } as Resolved]);
}

/**
 * Resolves a plain scalar by the rules of the parser behind existing workspaces: YAML 1.2 words, YAML 1.1 numbers
 * (underscores, 0777 octal, 0b), no yes/no and no base 60. Integers past 64 bits become floats where the text allows it.
 */
export function resolvePlain(text: string): Resolved {
  const first = text.charCodeAt(0);
  const digitOrSign = (first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d;
  // Most scalars are words that begin with a letter: decide those without a table.
  if (!digitOrSign && first !== 0x2e && text.length > 5) return { tag: "str", value: text };
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (digitOrSign) return number(text) ?? { tag: "str", value: text };
  if (first === 0x2e && /^\.[0-9]+(?:[eE][-+]?[0-9]+)?$/.test(text)) return float(text) ?? { tag: "str", value: text };
  return { tag: "str", value: text };
}

function number(text: string): Resolved | undefined {
  if (isTimestamp(text)) return { tag: "timestamp", value: text };
  const plain = text.includes("_") ? text.replaceAll("_", "") : text;
  const integer = parseInteger(plain);
  if (integer !== undefined) return { tag: "int", value: integer };
  return /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(plain) ? float(plain) : undefined;
}

function float(text: string): Resolved | undefined {
  const value = Number(text);
  return Number.isFinite(value) ? { tag: "float", value } : undefined;
}

/** @returns undefined where the text is no integer, or one that fits neither int64 nor uint64 */
function parseInteger(text: string): number | undefined {
  if (/^-?(?:0|[1-9][0-9]{0,14})$/.test(text)) return Number(text) + 0;
  const match = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/.exec(text);
  if (match === null) return undefined;
  const [, sign, hex, binary, octal, decimal] = match;
  const digits = hex ? `0x${hex}` : binary ? `0b${binary}` : octal ? `0o${octal}` : (decimal as string);
  // Past 64 digits no base fits 64 bits, except with leading zeros that nobody writes; BigInt stays cheap.
  if (digits.length > 128) return undefined;
  const magnitude = BigInt(digits);
  const limit = sign === "-" ? 1n << 63n : sign === "+" ? (1n << 63n) - 1n : (1n << 64n) - 1n;
  if (magnitude > limit) return undefined;
  return sign === "-" ? 0 - Number(magnitude) : Number(magnitude);
}

const DATE =
  /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:([Tt ])([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})?)?$/;

/** Whether the reference writer would take an unquoted text for a date or time, so that it has to be quoted. */
export function isTimestamp(text: string): boolean {
  const match = text.charCodeAt(4) === 0x2d ? DATE.exec(text) : null;
  if (match === null) return false;
  const [, year, month, day, separator, hour, minute, second, zone] = match;
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1) return false;
  if (Number(day) > new Date(Date.UTC(2000 + (Number(year) % 400), Number(month), 0)).getUTCDate()) return false;
  if (separator === undefined) return true;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return false;
  if (separator === " ") return zone === undefined;
  if (zone === undefined) return false;
  return zone === "Z" || (Number(zone.slice(1, 3)) <= 24 && Number(zone.slice(4)) <= 60);
}
