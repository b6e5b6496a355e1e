import { type AllocateOptions, allocate } from "../envelope/allocate.ts";
import { copyBytes } from "../envelope/write.ts";
import { ErrorCode, HubError } from "../errors.ts";
import { MAX_FRAME_BYTES } from "../frame.ts";
import { MAX_STRUCT_DEPTH, Tag } from "./json.ts";
import { withWriter } from "./spare-writer.ts";
import { type StructWriter, tooLarge } from "./struct-writer.ts";

/**
 * Writes the payload of a `google.protobuf.Struct`: the bytes that the generated codec writes for the same object. Numbers that
 * are not finite travel as they are; half a surrogate pair becomes U+FFFD. Else as `JSON.stringify`: own enumerable keys in
 * their order, none for undefined, null for undefined and holes in arrays, and an object with a method `toJSON` is what that returns.
 * @throws {HubError} `INVALID_ARGUMENT`, naming the place, for what JSON cannot hold: bigints, functions and symbols, objects
 * whose content is not in their keys (maps, bytes, promises …), and nesting deeper than {@link MAX_STRUCT_DEPTH}, as of an object
 * that contains itself; `FRAME_TOO_LARGE` for what fits no frame
 */
export function encodeStruct(object: object, options: AllocateOptions = {}): Uint8Array {
  return withWriter((writer) => {
    writeStruct(writer, object);
    const size = writer.at;
    const bytes = allocate(size, options);
    copyBytes(bytes, 0, writer.bytes, 0, size);
    return bytes;
  });
}

/** Writes the payload of a Struct where the writer stands. @throws {HubError} as {@link encodeStruct} */
export function writeStruct(writer: StructWriter, object: object): void {
  const start = writer.at;
  const json: unknown = typeof object === "object" && object !== null ? jsonOf(writer, object, 0) : object;
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw refuse(writer, 0, "is not an object");
  writeFields(writer, json as Readonly<Record<string, unknown>>, 1);
  if (writer.at - start > MAX_FRAME_BYTES) throw tooLarge();
}

function writeFields(writer: StructWriter, object: Readonly<Record<string, unknown>>, depth: number): void {
  if (depth > MAX_STRUCT_DEPTH) throw tooDeep(writer, depth - 1);
  for (const key in object) {
    const value = object[key];
    writer.path[depth - 1] = key;
    if (value !== undefined) writeMember(writer, key, value, depth);
  }
}

function writeItems(writer: StructWriter, items: readonly unknown[], depth: number): void {
  if (depth > MAX_STRUCT_DEPTH) throw tooDeep(writer, depth - 1);
  for (let index = 0; index < items.length; index++) {
    writer.path[depth - 1] = index;
    writeMember(writer, undefined, items[index] ?? null, depth);
  }
}

function writeMember(writer: StructWriter, key: string | undefined, value: unknown, depth: number): void {
  switch (typeof value) {
    case "string":
      writer.text(key, value);
      break;
    case "number":
      writer.number(key, value);
      break;
    case "boolean":
      writer.bool(key, value);
      break;
    case "object":
      if (value === null) writer.null(key);
      else writeObject(writer, key, value, depth);
      break;
    default:
      throw refuse(writer, depth, `is a ${typeof value}, which JSON cannot hold`);
  }
}

function writeObject(writer: StructWriter, key: string | undefined, value: object, depth: number): void {
  const json = jsonOf(writer, value, depth);
  if (typeof json !== "object" || json === null) {
    if (json !== undefined) writeMember(writer, key, json, depth);
    else if (key === undefined) writer.null(key);
    return;
  }
  const start = writer.at;
  const isList = Array.isArray(json);
  const payloadStart = writer.open(key, isList ? Tag.List : Tag.Struct);
  if (isList) writeItems(writer, json, depth + 1);
  else writeFields(writer, json as Readonly<Record<string, unknown>>, depth + 1);
  writer.close(start, payloadStart, key);
}

/** What an object stands for: itself, or what it wants to be in JSON. */
function jsonOf(writer: StructWriter, value: object, depth: number): unknown {
  if (Array.isArray(value)) return value;
  let json: unknown = value;
  if ("toJSON" in value && typeof value.toJSON === "function") {
    json = value.toJSON(String(writer.path[depth - 1] ?? ""));
    if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  }
  const prototype: unknown = Object.getPrototypeOf(json);
  if ((prototype === Object.prototype && !isPolluted()) || prototype === null) return json;
  // Instances of classes have what they hold in their keys; maps, bytes, promises and boxed values have not.
  const kind = Object.prototype.toString.call(json).slice(8, -1);
  if (kind !== "Object") throw refuse(writer, depth, `is of kind ${kind}, which JSON cannot hold; convert it first`);
  // Only keys of its own. Without a prototype, and so without a setter that "__proto__" could run into.
  return Object.assign(Object.create(null), json);
}

/** True where somebody gave keys to all objects. */
function isPolluted(): boolean {
  for (const _ in Object.prototype) return true;
  return false;
}

function tooDeep(writer: StructWriter, depth: number): HubError {
  return refuse(writer, depth, `is nested deeper than ${MAX_STRUCT_DEPTH} levels, or contains itself`);
}

/** @param depth how many steps of the writer's path lead to the culprit */
function refuse(writer: StructWriter, depth: number, why: string): HubError {
  const path = writer.path
    .slice(0, depth)
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");
  const what = path === "" && depth === 0 ? "it" : `"${path.length > 200 ? `${path.slice(0, 200)}…` : path}"`;
  return new HubError(ErrorCode.InvalidArgument, `Cannot write Struct: ${what} ${why}`);
}
