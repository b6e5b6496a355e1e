import { ErrorCode, HubError } from "../errors.ts";
import { platform } from "../platform.ts";

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

/**
 * How many bytes the shortest varint of an unsigned 32-bit value has. Readers accept no other, so it is also what they
 * consumed.
 */
export function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

/**
 * An unsigned 32-bit varint; it is `varintSize(result)` bytes long.
 * @throws {HubError} `PROTOCOL` when it is cut off, above 32 bits or not the shortest form
 */
export function readVarint(bytes: Uint8Array, start: number, end: number): number {
  if (start < end) {
    const first = bytes[start]!;
    if (first < 0x80) return first;
  }
  let value = 0;
  let scale = 1;
  for (let pos = start; pos < end; pos++) {
    const byte = bytes[pos]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      if (byte === 0) throw protocolError("varint is longer than it needs to be", start);
      if (value > 0xffffffff) throw protocolError("varint does not fit 32 bits", start);
      return value;
    }
    if (pos - start === 4) throw protocolError("varint does not fit 32 bits", start);
    scale *= 128;
  }
  throw protocolError("varint is cut off", start);
}

/** The length in front of a string, bytes or message. @throws {HubError} `PROTOCOL` also when it reaches beyond `end` */
export function readLength(bytes: Uint8Array, start: number, end: number): number {
  const length = readVarint(bytes, start, end);
  if (length > end - start - varintSize(length)) throw protocolError("length reaches beyond its message", start);
  return length;
}

/** A bool; takes one byte. @throws {HubError} `PROTOCOL` for anything but 0 and 1 */
export function readBool(bytes: Uint8Array, start: number, end: number): boolean {
  const byte = start < end ? bytes[start]! : 2;
  if (byte > 1) throw protocolError("bool is neither 0 nor 1", start);
  return byte === 1;
}

/** @returns the position after the value of a field. @throws {HubError} `PROTOCOL` for groups and for values that do not fit */
export function skipValue(bytes: Uint8Array, start: number, end: number, wireType: number): number {
  let after: number;
  if (wireType === WIRE_BYTES) {
    const length = readLength(bytes, start, end);
    after = start + varintSize(length) + length;
  } else if (wireType === WIRE_VARINT) {
    after = skipVarint64(bytes, start, end);
  } else if (wireType === WIRE_FIXED64) {
    after = start + 8;
  } else if (wireType === WIRE_FIXED32) {
    after = start + 4;
  } else {
    throw protocolError(`wire type ${wireType} is not used`, start);
  }
  if (after > end) throw protocolError("value is cut off", start);
  return after;
}

function skipVarint64(bytes: Uint8Array, start: number, end: number): number {
  const limit = Math.min(end, start + 10);
  for (let pos = start; pos < limit; pos++) {
    const byte = bytes[pos]!;
    if (byte >= 0x80) continue;
    if (byte === 0 && pos > start) throw protocolError("varint is longer than it needs to be", start);
    if (byte > 1 && pos === start + 9) throw protocolError("varint does not fit 64 bits", start);
    return pos + 1;
  }
  throw protocolError(limit === end ? "varint is cut off" : "varint does not fit 64 bits", start);
}

/**
 * Up to this many ASCII bytes become a string faster here than in the host's decoder, which costs the same for 1 byte and
 * 60.
 */
const SHORT_TEXT_BYTES = 16;

/** Keeps nothing from one use to the next. A leading U+FEFF is text in protobuf, not a byte-order mark. */
const utf8 = new platform.TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of `bytes[start, end)`. @throws {HubError} `PROTOCOL` for bytes that are not UTF-8 */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT_TEXT_BYTES) return decodeText(bytes, start, end);
  // One call makes one flat string. Adding up characters makes a tree of strings, which is flattened on its first use as a key.
  const codes: number[] = [];
  for (let pos = start; pos < end; pos++) {
    const byte = bytes[pos]!;
    if (byte >= 0x80) return decodeText(bytes, start, end);
    codes.push(byte);
  }
  return String.fromCharCode.apply(null, codes);
}

/** @throws {HubError} `PROTOCOL` for bytes that are not UTF-8 */
export function checkText(bytes: Uint8Array, start: number, end: number): void {
  for (let pos = start; pos < end; pos++) {
    if (bytes[pos]! >= 0x80) {
      decodeText(bytes, start, end);
      return;
    }
  }
}

function decodeText(bytes: Uint8Array, start: number, end: number): string {
  try {
    return utf8.decode(bytes.subarray(start, end));
  } catch (reason) {
    throw protocolError("text is not UTF-8", start, reason);
  }
}

export function protocolError(what: string, position: number, cause?: unknown): HubError {
  return new HubError(
    ErrorCode.Protocol,
    `Cannot read envelope: ${what}, at byte ${position}`,
    cause === undefined ? undefined : { cause },
  );
}
