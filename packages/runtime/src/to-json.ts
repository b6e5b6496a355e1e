import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { JsonObject, JsonValue } from "./json.ts";

/**
 * How deep an object may nest. Decoders stop at 100 nested messages, and each level of a Struct takes three; what is deeper
 * would leave here and be unreadable everywhere else.
 */
const MAX_DEPTH = 30;

/**
 * Makes sure that a value can travel in a Struct, the way `JSON.stringify` would: keys without a value are left out, `toJSON`
 * is obeyed, numbers that are not finite become null. Returns the same object where there is nothing to change.
 * @param what names the value in errors, for example `The result of tool "x"`
 * @throws {HubError} `INTERNAL` for what JSON cannot hold, naming where it stands
 */
export function toJsonObject(value: object, what: string): JsonObject {
  const json = convert(value, what, "", 0);
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json;
  throw new HubError(ErrorCode.Internal, `${what} is not an object`);
}

function convert(value: unknown, what: string, path: string, depth: number): JsonValue {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : null;
    case "object":
      if (value === null) return null;
      if (ArrayBuffer.isView(value)) throw refuse(what, path, "holds bytes, which JSON cannot; encode them as text");
      if (depth >= MAX_DEPTH) throw refuse(what, path, `nests deeper than ${MAX_DEPTH} levels, or contains itself`);
      if ("toJSON" in value && typeof value.toJSON === "function")
        return convert(value.toJSON(), what, path, depth + 1);
      return Array.isArray(value) ? convertArray(value, what, path, depth) : convertObject(value, what, path, depth);
    default:
      throw refuse(what, path, `is a ${typeof value}, which JSON cannot hold`);
  }
}

function convertArray(value: unknown[], what: string, path: string, depth: number): JsonValue[] {
  let copy: JsonValue[] | undefined;
  for (let index = 0; index < value.length; index++) {
    const before = value[index];
    const after = isAbsent(before) ? null : convert(before, what, `${path}[${index}]`, depth + 1);
    if (after !== before) copy ??= value.slice(0, index) as JsonValue[];
    copy?.push(after);
  }
  return copy ?? (value as JsonValue[]);
}

function convertObject(value: object, what: string, path: string, depth: number): JsonObject {
  const source = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(source);
  let copy: [string, JsonValue][] | undefined;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!;
    const before = source[key];
    // Most values are texts; for them nothing is made, not even the path that an error would name.
    if (typeof before === "string" && copy === undefined) continue;
    const after = isAbsent(before) ? undefined : convert(before, what, `${path}.${key}`, depth + 1);
    if (after !== before || after === undefined) {
      copy ??= keys.slice(0, index).map((earlier) => [earlier, source[earlier] as JsonValue]);
    }
    if (after !== undefined) copy?.push([key, after]);
  }
  // fromEntries defines keys instead of assigning them, so that a key "__proto__" stays a key.
  return copy === undefined ? (value as JsonObject) : Object.fromEntries(copy);
}

/** What `JSON.stringify` leaves out of objects and writes as null in arrays. */
function isAbsent(value: unknown): boolean {
  return value === undefined || typeof value === "function" || typeof value === "symbol";
}

function refuse(what: string, path: string, why: string): HubError {
  return new HubError(ErrorCode.Internal, `${what}${path === "" ? "" : ` at "${path.replace(/^\./, "")}"`} ${why}`);
}
