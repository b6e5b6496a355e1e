import type { JsonObject, JsonSchema, JsonValue } from "../json.ts";

/** @returns true where the value fits; false where it does not, or where it takes more than this to know */
type Check = (value: JsonValue) => boolean;

/** Keywords that say nothing about which values fit; formats are hints here. */
const SILENT = new Set([
  "description",
  "title",
  "examples",
  "format",
  "deprecated",
  "readOnly",
  "writeOnly",
  "$comment",
]);

/** Deeper schemas are left to the library. */
const MAX_DEPTH = 10;

const TYPES: Readonly<Record<string, Check>> = {
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
  number: (value) => Number.isFinite(value),
  integer: (value) => Number.isInteger(value),
  array: (value) => Array.isArray(value),
  object: isObject,
};

/**
 * A check for the kind of schema that nearly all tools have: types, properties, required ones, lists, enumerations of plain values.
 * It only ever accepts. What it does not accept a validating library has to look at, which knows every keyword and can say
 * what is wrong; a plugin whose callers make no mistakes never loads one.
 * @returns undefined for a schema with anything else in it
 */
export function quickCheck(schema: JsonSchema): ((input: JsonObject) => boolean) | undefined {
  const checks = checksOf(schema, 0);
  return checks && ((input) => checks.every((check) => check(input)));
}

function checksOf(schema: JsonValue | undefined, depth: number): Check[] | undefined {
  if (schema === true) return [];
  if (!isObject(schema) || depth > MAX_DEPTH) return undefined;
  const { type, enum: values, items, properties, required, additionalProperties, ...rest } = schema;
  if (!Object.keys(rest).every((keyword) => SILENT.has(keyword))) return undefined;
  const parts = [
    type === undefined ? [] : typeCheck(type),
    values === undefined ? [] : enumCheck(values),
    items === undefined ? [] : itemsCheck(items, depth),
    required === undefined ? [] : requiredCheck(required),
    properties === undefined && additionalProperties === undefined
      ? []
      : propertiesCheck(properties ?? {}, additionalProperties ?? true, depth),
  ];
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}

function typeCheck(type: JsonValue): Check[] | undefined {
  const names = Array.isArray(type) ? type : [type];
  const checks = names.map((name) =>
    typeof name === "string" && Object.hasOwn(TYPES, name) ? TYPES[name] : undefined,
  );
  if (checks.length === 0 || !checks.every((check) => check !== undefined)) return undefined;
  return [checks.length === 1 ? checks[0]! : (value) => checks.some((check) => check(value))];
}

function enumCheck(values: JsonValue): Check[] | undefined {
  if (!Array.isArray(values) || values.length === 0 || values.some((value) => isObject(value) || Array.isArray(value)))
    return undefined;
  return [(value) => values.includes(value)];
}

function itemsCheck(items: JsonValue, depth: number): Check[] | undefined {
  const checks = checksOf(items, depth + 1);
  return checks && [(value) => !Array.isArray(value) || value.every((item) => checks.every((check) => check(item)))];
}

function requiredCheck(names: JsonValue): Check[] | undefined {
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string")) return undefined;
  return [(value) => !isObject(value) || names.every((name) => Object.hasOwn(value, name))];
}

function propertiesCheck(properties: JsonValue, additional: JsonValue, depth: number): Check[] | undefined {
  if (!isObject(properties) || typeof additional !== "boolean") return undefined;
  const known = new Map<string, Check[]>();
  for (const [name, schema] of Object.entries(properties)) {
    const checks = checksOf(schema, depth + 1);
    // Names that every object answers to are looked up in different ways by different validators.
    if (checks === undefined || name in Object.prototype) return undefined;
    known.set(name, checks);
  }
  const fits = (key: string, value: JsonValue) => known.get(key)?.every((check) => check(value)) ?? additional;
  return [(value) => !isObject(value) || Object.keys(value).every((key) => fits(key, value[key]!))];
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
