import { isObject, type JsonObject, type JsonValue } from "./json.ts";

/**
 * A schema that every client accepts. Client libraries check the whole list at once, so one tool with an odd schema would hide
 * all the others: what is not an object schema becomes one that allows anything, and `true` and `false` as property
 * schemas, which are legal but not known everywhere, are written as objects.
 */
export function clientSchema(schema: JsonObject | undefined): JsonObject {
  if (schema === undefined || !isObjectSchema(schema)) return { type: "object" };
  const { properties, required, ...rest } = schema;
  return {
    ...rest,
    type: "object",
    ...(isObject(properties) ? { properties: objectProperties(properties as JsonObject) } : {}),
    ...(isStrings(required) ? { required } : {}),
  };
}

/** The same for a promised result, where no schema is better than one that allows anything. */
export function clientOutputSchema(schema: JsonObject | undefined): JsonObject | undefined {
  if (schema === undefined || schema["type"] !== "object") return undefined;
  return clientSchema(schema);
}

function isObjectSchema(schema: JsonObject): boolean {
  const { type } = schema;
  return type === undefined || type === "object" || (Array.isArray(type) && type.includes("object"));
}

function objectProperties(properties: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, objectSchema(value)]));
}

function objectSchema(value: JsonValue): JsonValue {
  if (isObject(value)) return value;
  return value === false ? { not: {} } : {};
}

function isStrings(value: JsonValue | undefined): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === "string");
}
