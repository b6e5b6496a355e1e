/** JSON as it travels in a google.protobuf.Struct: numbers are doubles, there is no undefined. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** A plain JSON Schema (2020-12) of type object. */
export type JsonSchema = JsonObject;
