import {
  protocolError,
  readBool,
  readLength,
  readVarint,
  skipValue,
  varintSize,
  WIRE_VARINT,
} from "../envelope/wire.ts";
import { type JsonObject, type JsonValue, MAX_STRUCT_DEPTH, Tag } from "./json.ts";
import { readKey } from "./read-key.ts";
import { readLenientText } from "./read-text.ts";

/**
 * Reads the payload of a `google.protobuf.Struct`, `bytes[start, end)`. Of two entries with one key the last counts, as of two
 * kinds in one value; entries without a value are left out, and a list has null in their place. Unknown fields are skipped.
 * Texts that are not UTF-8 are read with U+FFFD where they are damaged. A key "__proto__" is a key like any other.
 * @throws {HubError} `PROTOCOL` for lengths that reach too far, values that are cut off, varints not in their shortest form,
 * bools other than 0 and 1, groups, field number 0, and nesting deeper than {@link MAX_STRUCT_DEPTH}
 */
export function decodeStruct(bytes: Uint8Array, start = 0, end: number = bytes.length): JsonObject {
  if (start < 0 || end > bytes.length || start > end) throw protocolError("Struct lies outside of its bytes", start);
  return readFields(bytes, start, end, 1);
}

/** Struct: entries of a map. */
function readFields(bytes: Uint8Array, start: number, end: number, depth: number): JsonObject {
  const object: JsonObject = {};
  let pos = start;
  while (pos < end) {
    if (bytes[pos] !== Tag.Entry) {
      pos = skipUnknown(bytes, pos, end);
      continue;
    }
    const length = lengthAt(bytes, pos + 1, end);
    pos += 1 + varintSize(length);
    readEntry(object, bytes, pos, pos + length, depth);
    pos += length;
  }
  return object;
}

function readEntry(object: JsonObject, bytes: Uint8Array, start: number, end: number, depth: number): void {
  let key = "";
  let value: JsonValue | undefined;
  let pos = start;
  while (pos < end) {
    const tag = bytes[pos]!;
    if (tag !== Tag.EntryKey && tag !== Tag.EntryValue) {
      pos = skipUnknown(bytes, pos, end);
      continue;
    }
    const length = lengthAt(bytes, pos + 1, end);
    pos += 1 + varintSize(length);
    if (tag === Tag.EntryKey) key = readKey(bytes, pos, pos + length);
    else value = readValue(bytes, pos, pos + length, depth);
    pos += length;
  }
  if (value === undefined) return;
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

/** ListValue. */
function readList(bytes: Uint8Array, start: number, end: number, depth: number): JsonValue[] {
  const list: JsonValue[] = [];
  let pos = start;
  while (pos < end) {
    if (bytes[pos] !== Tag.Entry) {
      pos = skipUnknown(bytes, pos, end);
      continue;
    }
    const length = lengthAt(bytes, pos + 1, end);
    pos += 1 + varintSize(length);
    list.push(readValue(bytes, pos, pos + length, depth) ?? null);
    pos += length;
  }
  return list;
}

/** Value; undefined where no kind is set. @param depth that of the object or list which holds it */
function readValue(bytes: Uint8Array, start: number, end: number, depth: number): JsonValue | undefined {
  let value: JsonValue | undefined;
  let pos = start;
  while (pos < end) {
    const tag = bytes[pos]!;
    if (tag === Tag.Number) {
      if (end - pos < 9) throw protocolError("number is cut off", pos);
      value = readDouble(bytes, pos + 1);
      pos += 9;
    } else if (tag === Tag.Bool) {
      value = readBool(bytes, pos + 1, end);
      pos += 2;
    } else if (tag === Tag.Null) {
      pos = skipValue(bytes, pos + 1, end, WIRE_VARINT);
      value = null;
    } else if (tag === Tag.Text || tag === Tag.Struct || tag === Tag.List) {
      const length = lengthAt(bytes, pos + 1, end);
      pos += 1 + varintSize(length);
      if (tag === Tag.Text) value = readLenientText(bytes, pos, pos + length);
      else if (depth === MAX_STRUCT_DEPTH) throw protocolError(`nested deeper than ${MAX_STRUCT_DEPTH} levels`, pos);
      else if (tag === Tag.Struct) value = readFields(bytes, pos, pos + length, depth + 1);
      else value = readList(bytes, pos, pos + length, depth + 1);
      pos += length;
    } else {
      pos = skipUnknown(bytes, pos, end);
    }
  }
  return value;
}

/** `readLength` with the usual case, one byte, in place. */
function lengthAt(bytes: Uint8Array, pos: number, end: number): number {
  const length = bytes[pos]!;
  return length < 0x80 && length < end - pos ? length : readLength(bytes, pos, end);
}

/** Steps over a whole field that is not known, or has another wire type than it should. */
function skipUnknown(bytes: Uint8Array, start: number, end: number): number {
  const tag = readVarint(bytes, start, end);
  if (tag >>> 3 === 0) throw protocolError("field number 0", start);
  return skipValue(bytes, start + varintSize(tag), end, tag & 7);
}

const eight = new Uint8Array(8);
const eightView = new DataView(eight.buffer);

/** Through eight bytes of our own: a view of the message would cost more than everything else about a small one. */
function readDouble(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < 8; i++) eight[i] = bytes[at + i]!;
  return eightView.getFloat64(0, true);
}
