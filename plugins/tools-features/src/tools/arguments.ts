import { type JsonObject, type JsonValue, ToolError } from "@orchestrator/runtime";

/** One argument of a tool: what its schema says, and how its value is read. */
export interface Argument<T, Required extends boolean = boolean> {
  readonly schema: JsonObject;
  readonly required: Required;
  /** @returns undefined where the value says nothing */
  read(value: JsonValue, name: string): T | undefined;
}

export type Arguments = Readonly<Record<string, Argument<unknown>>>;
export type Input<A extends Arguments> = {
  readonly [K in keyof A]: A[K] extends Argument<infer T, infer R> ? (R extends true ? T : T | undefined) : never;
};

/** Text; a blank one counts as left out. */
export function text<const E extends string = string>(
  description: string,
  options: { readonly oneOf?: readonly E[] } = {},
): Argument<E, false> {
  const schema: JsonObject = { type: "string", description };
  if (options.oneOf !== undefined) schema["enum"] = [...options.oneOf];
  const read = (value: JsonValue, name: string): E | undefined => {
    if (typeof value !== "string") return invalid(name, "must be a string");
    if (value.trim() === "") return undefined;
    if (options.oneOf === undefined || options.oneOf.includes(value as E)) return value as E;
    return invalid(name, `must be one of ${options.oneOf.join(", ")}, not "${value}"`);
  };
  return { schema, required: false, read };
}

export function flag(description: string): Argument<boolean, false> {
  const read = (value: JsonValue, name: string) =>
    typeof value === "boolean" ? value : invalid(name, "must be true or false");
  return { schema: { type: "boolean", description }, required: false, read };
}

export function number(description: string): Argument<number, false> {
  const read = (value: JsonValue, name: string) =>
    typeof value === "number" ? value : invalid(name, "must be a number");
  return { schema: { type: "number", description }, required: false, read };
}

/** A list of texts, each once, blank ones left out. */
export function texts(description: string): Argument<readonly string[], false> {
  const read = (value: JsonValue, name: string): readonly string[] | undefined => {
    const isList = Array.isArray(value) && value.every((item) => typeof item === "string");
    if (!isList) return invalid(name, "must be a list of strings");
    const items = new Set(value.map((item) => item.trim()).filter((item) => item !== ""));
    return items.size === 0 ? undefined : [...items];
  };
  return { schema: { type: "array", items: { type: "string" }, description }, required: false, read };
}

export function required<T>(argument: Argument<T, false>): Argument<T, true> {
  return { ...argument, required: true };
}

/** A JSON Schema of type object: properties and required, nothing else. */
export function schemaOf(args: Arguments): JsonObject {
  const entries = Object.entries(args);
  const schema: JsonObject = {
    type: "object",
    properties: Object.fromEntries(entries.map(([name, argument]) => [name, argument.schema])),
  };
  const needed = entries.filter(([, argument]) => argument.required).map(([name]) => name);
  if (needed.length > 0) schema["required"] = needed;
  return schema;
}

/** @throws {ToolError} `validation_error` */
export function readInput<A extends Arguments>(args: A, input: JsonObject): Input<A> {
  const values: Record<string, unknown> = {};
  for (const [name, argument] of Object.entries(args)) {
    const given = Object.hasOwn(input, name) ? input[name] : undefined;
    const value = given === undefined || given === null ? undefined : argument.read(given, name);
    if (value === undefined && argument.required) return invalid(name, "is required and must not be empty");
    values[name] = value;
  }
  return values as Input<A>;
}

function invalid(name: string, problem: string): never {
  throw new ToolError("validation_error", `Argument "${name}" ${problem}`);
}
