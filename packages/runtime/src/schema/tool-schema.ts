import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { InputSchema, ToolOptions } from "../definition.ts";
import type { JsonObject, JsonSchema } from "../json.ts";

/** What schema libraries offer for JSON Schema: the standard trait, or a method of their own (zod 4, ArkType). */
interface Convertible {
  readonly "~standard": { readonly jsonSchema?: { input(options: { target: string }): unknown } };
  toJSONSchema?(options: { io: "input" }): unknown;
  toJsonSchema?(): unknown;
}

export function isStandardSchema(schema: InputSchema): schema is StandardSchemaV1 {
  // ArkType's schemas are functions.
  return (typeof schema === "object" || typeof schema === "function") && "~standard" in schema;
}

/**
 * The JSON Schema that callers see for a tool.
 * @throws {HubError} `INVALID_ARGUMENT` where the schema is not one of an object, or its library cannot show it
 */
export function jsonSchemaOf(name: string, tool: ToolOptions<InputSchema>): JsonSchema {
  const schema = tool.inputJsonSchema ?? (tool.input === undefined ? { type: "object" } : convert(name, tool.input));
  const { $schema: _, ...rest } = schema;
  // A union of objects says so only in its members, yet every protocol above wants the word at the top.
  if (rest["type"] === undefined) return { type: "object", ...rest };
  if (rest["type"] === "object") return rest;
  throw refuse(name, `takes ${JSON.stringify(rest["type"])}; arguments are always an object`);
}

function convert(name: string, schema: InputSchema): JsonObject {
  if (!isStandardSchema(schema)) return schema;
  const source = schema as unknown as Convertible;
  try {
    const made =
      source["~standard"].jsonSchema?.input({ target: "draft-2020-12" }) ??
      source.toJSONSchema?.({ io: "input" }) ??
      source.toJsonSchema?.();
    if (made !== undefined) return made as JsonObject;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw refuse(name, `cannot be shown as JSON Schema: ${reason}. Pass inputJsonSchema beside it`);
  }
  const { vendor } = schema["~standard"];
  throw refuse(
    name,
    `is a ${vendor} schema, which cannot produce JSON Schema by itself. Pass inputJsonSchema beside it`,
  );
}

function refuse(name: string, why: string): HubError {
  return new HubError(ErrorCode.InvalidArgument, `The input of tool "${name}" ${why}`);
}
