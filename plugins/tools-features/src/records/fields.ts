import type { JsonObject, JsonValue } from "@orchestrator/runtime";

/**
 * Readers of front matter that people may have edited: a number where text belongs is that number's text, a single
 * text where a list belongs is a list of one. What has no sensible reading counts as absent.
 */
export function textField(fields: JsonObject, key: string): string {
  return textOf(fields[key]) ?? "";
}

const NONE: readonly string[] = [];

export function listField(fields: JsonObject, key: string): readonly string[] {
  const value = fields[key];
  if (value === undefined) return NONE;
  const items = Array.isArray(value) ? value : [value];
  return unique(items.map(textOf).filter((item) => item !== undefined && item !== "") as string[]);
}

export function objectsField(fields: JsonObject, key: string): readonly JsonObject[] {
  const value = fields[key];
  return Array.isArray(value) ? value.filter((item): item is JsonObject => isObject(item)) : [];
}

/** Each value once, in the order of first appearance. */
export function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}

function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
