import { hubFields } from "./config-shape.ts";
import type { Fields, Shape } from "./shape.ts";

/** A JSON Schema document. */
export type JsonSchemaDocument = { readonly [key: string]: unknown };

/** Keys without which an entry is refused. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = { plugins: ["id"], policy: ["effect", "use"] };

/** The JSON Schema (draft 7, which editors understand best) of the configuration file. */
export function configJsonSchema(): JsonSchemaDocument {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Orchestrator configuration",
    description: "plugins.yaml: where the hub listens, who may use what, and which plugins it runs.",
    ...record(hubFields),
  };
}

function record(fields: Fields, required: readonly string[] = []): JsonSchemaDocument {
  const properties = Object.fromEntries(Object.entries(fields).map(([key, shape]) => [key, property(key, shape)]));
  const closed = { type: "object", properties, patternProperties: { "^x-": {} }, additionalProperties: false };
  return required.length === 0 ? closed : { ...closed, required };
}

function property(key: string, shape: Shape): JsonSchemaDocument {
  const byDefault = shape.defaultText === undefined ? "" : ` Default: ${shape.defaultText}.`;
  return { description: `${shape.description}${byDefault}`, ...type(key, shape) };
}

/** What YAML makes of a text that looks like something else, which the reader takes as it is written. */
const ANY_SCALAR = ["string", "number", "boolean"];

function type(key: string, shape: Shape): JsonSchemaDocument {
  switch (shape.kind) {
    case "flag":
      return { type: "boolean" };
    case "count":
      return { type: "integer", minimum: shape.minimum, maximum: shape.maximum };
    case "choice":
      return { enum: [...shape.values] };
    case "path":
      return { type: "string", minLength: 1 };
    case "text":
      return shape.pattern === undefined
        ? { type: ANY_SCALAR }
        : { type: ANY_SCALAR, pattern: `^(?:${shape.pattern.source})$` };
    case "texts":
      return {
        type: "array",
        items:
          shape.pattern === undefined
            ? { type: ANY_SCALAR }
            : { type: ANY_SCALAR, pattern: `^(?:${shape.pattern.source})$` },
      };
    case "textMap":
      return { type: "object", additionalProperties: { type: [...ANY_SCALAR, "null"] } };
    case "group":
      return record(shape.fields);
    case "groups":
      return { type: "array", items: record(shape.fields, REQUIRED[key]) };
  }
}
