/** A second, slow and simple reading and writing of the wire format, against which the fast one is tested. */

export interface RawField {
  readonly number: number;
  readonly wireType: number;
  /** Tag, length and value. */
  readonly bytes: Uint8Array;
  /** What follows the tag, and for wire type 2 the length. */
  readonly value: Uint8Array;
}

export function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return bytes;
}

/** A field of wire type 2. */
export function lengthDelimited(number: number, value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return Uint8Array.of(...varint(number * 8 + 2), ...varint(bytes.length), ...bytes);
}

export function varintField(number: number, value: number): Uint8Array {
  return Uint8Array.of(...varint(number * 8), ...varint(value));
}

/** The fields of a well-formed message, in order. */
export function splitFields(message: Uint8Array): RawField[] {
  const fields: RawField[] = [];
  let at = 0;
  const readVarint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(value);
    }
  };
  while (at < message.length) {
    const start = at;
    const tag = readVarint();
    const wireType = tag % 8;
    let valueStart = at;
    if (wireType === 0) readVarint();
    else if (wireType === 1) at += 8;
    else if (wireType === 5) at += 4;
    else {
      const length = readVarint();
      valueStart = at;
      at += length;
    }
    fields.push({
      number: Math.floor(tag / 8),
      wireType,
      bytes: message.slice(start, at),
      value: message.slice(valueStart, at),
    });
  }
  return fields;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export function hex(text: string): Uint8Array {
  return Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}
