import protobuf from "protobufjs";

/**
 * A message without anything of the codec that made it: every field under its name with its default filled in, a oneof as
 * `{ member, value }`, maps as entries in the order of their keys, Structs as JSON-like values.
 */
export type Plain = Readonly<Record<string, unknown>>;

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const STRUCT = ".google.protobuf.Struct";

/** Reads a message of protobufjs. */
export function plainFromReflection(type: protobuf.Type, message: Record<string, unknown>): Plain {
  return plain(
    type,
    (field) => {
      const { partOf } = field;
      if (partOf !== null && message[partOf.name] !== field.name) return undefined;
      return message[field.name];
    },
    plainFromReflection,
    (value) => structFields(value as ReflectedStruct),
  );
}

/** Reads a message of the generated code. */
export function plainFromGenerated(type: protobuf.Type, message: Record<string, unknown>): Plain {
  return plain(
    type,
    (field) => {
      if (field.partOf === null) return message[field.name];
      const member = message[field.partOf.name] as { $case: string; value: unknown } | undefined;
      return member?.$case === field.name ? member.value : undefined;
    },
    plainFromGenerated,
    (value) => value as Record<string, Json>,
  );
}

function plain(
  type: protobuf.Type,
  read: (field: protobuf.Field) => unknown,
  nested: (type: protobuf.Type, message: Record<string, unknown>) => Plain,
  struct: (value: unknown) => Record<string, Json>,
): Plain {
  const result: Record<string, unknown> = {};
  const one = (field: protobuf.Field, value: unknown): unknown => {
    if (!(field.resolvedType instanceof protobuf.Type)) return scalar(value);
    if (value === undefined || value === null) return undefined;
    if (field.resolvedType.fullName === STRUCT) return sortedJson(struct(value));
    return nested(field.resolvedType, value as Record<string, unknown>);
  };
  for (const field of type.fieldsArray) {
    const value = read(field);
    if (field.partOf !== null) {
      result[field.partOf.name] ??= undefined;
      if (value !== undefined) result[field.partOf.name] = { member: field.name, value: one(field, value) };
    } else if (field.map) {
      const entries = Object.entries((value ?? {}) as Record<string, unknown>);
      result[field.name] = entries.map(([key, entry]) => [key, one(field, entry)]).sort(byKey);
    } else if (field.repeated) {
      result[field.name] = ((value ?? []) as unknown[]).map((entry) => one(field, entry));
    } else {
      result[field.name] = one(field, value);
    }
  }
  return result;
}

function scalar(value: unknown): unknown {
  // The default of a bytes field is an empty array in protobufjs.
  if (value instanceof Uint8Array || Array.isArray(value)) return Array.from(value);
  // protobufjs gives 64-bit integers as objects of their own.
  if (typeof value === "object" && value !== null) return Number(String(value));
  return value;
}

interface ReflectedStruct {
  readonly fields: Record<string, ReflectedValue>;
}
interface ReflectedValue {
  readonly kind?: string;
  readonly numberValue: number;
  readonly stringValue: string;
  readonly boolValue: boolean;
  readonly structValue: ReflectedStruct;
  readonly listValue: { readonly values: ReflectedValue[] };
}

/** Makes a JSON-like value of a Struct what protobufjs encodes. */
export function reflectedStruct(json: Readonly<Record<string, unknown>>): { fields: Record<string, unknown> } {
  return { fields: Object.fromEntries(Object.entries(json).map(([key, value]) => [key, reflectedValue(value)])) };
}

function reflectedValue(json: unknown): unknown {
  if (json === null) return { nullValue: 0 };
  if (typeof json === "boolean") return { boolValue: json };
  if (typeof json === "number") return { numberValue: json };
  if (typeof json === "string") return { stringValue: json };
  if (Array.isArray(json)) return { listValue: { values: json.map(reflectedValue) } };
  return { structValue: reflectedStruct(json as Record<string, unknown>) };
}

function structFields(struct: ReflectedStruct): Record<string, Json> {
  return Object.fromEntries(Object.entries(struct.fields).map(([key, value]) => [key, jsonOf(value)]));
}

function jsonOf(value: ReflectedValue): Json {
  switch (value.kind) {
    case "nullValue":
      return null;
    case "numberValue":
      return value.numberValue;
    case "stringValue":
      return value.stringValue;
    case "boolValue":
      return value.boolValue;
    case "structValue":
      return structFields(value.structValue);
    case "listValue":
      return value.listValue.values.map(jsonOf);
    default:
      throw new Error("A Value without a kind");
  }
}

function sortedJson(value: Json): unknown {
  if (Array.isArray(value)) return value.map(sortedJson);
  if (typeof value !== "object" || value === null) return value;
  return {
    entries: Object.entries(value)
      .map(([key, entry]) => [key, sortedJson(entry)])
      .sort(byKey),
  };
}

function byKey(a: unknown[], b: unknown[]): number {
  return String(a[0]) < String(b[0]) ? -1 : 1;
}
