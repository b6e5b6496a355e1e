import { varintSize } from "./wire.ts";

/** Writes an unsigned 32-bit varint; @returns the position after it. */
export function writeVarint(into: Uint8Array, start: number, value: number): number {
  let pos = start;
  let rest = value;
  while (rest > 0x7f) {
    into[pos++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  into[pos++] = rest;
  return pos;
}

/** Bytes of `text` in UTF-8; a lone surrogate counts as U+FFFD, which is what the writing makes of it. */
export function textSize(text: string): number {
  const length = text.length;
  let size = length;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    if (code < 0x800) size += 1;
    else {
      size += 2;
      // Both halves of a pair together take four bytes, and two are counted already.
      if (isPair(text, i, code)) i++;
    }
  }
  return size;
}

/**
 * Bytes of a string field whose text has `size` bytes, tag and length included; 0 for the empty text, which proto3 leaves
 * out.
 */
export function textFieldSize(tag: number, size: number): number {
  return size === 0 ? 0 : varintSize(tag) + varintSize(size) + size;
}

/**
 * Writes a string field whose text has `size` bytes, nothing for the empty text.
 * @returns the position after it; -1 when `size` is `text.length`, which is a guess that the text is ASCII, and it is not
 */
export function writeTextField(into: Uint8Array, start: number, tag: number, text: string, size: number): number {
  if (size === 0) return start;
  const at = writeVarint(into, writeVarint(into, start, tag), size);
  if (size !== text.length) return writeUtf8(into, at, text);
  let all = 0;
  for (let i = 0; i < size; i++) {
    const code = text.charCodeAt(i);
    all |= code;
    into[at + i] = code;
  }
  return all < 0x80 ? at + size : -1;
}

export function writeUtf8(into: Uint8Array, start: number, text: string): number {
  let pos = start;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      into[pos++] = code;
    } else if (code < 0x800) {
      into[pos++] = 0xc0 | (code >> 6);
      into[pos++] = 0x80 | (code & 0x3f);
    } else if (isPair(text, i, code)) {
      code = text.codePointAt(i++)!;
      into[pos++] = 0xf0 | (code >> 18);
      into[pos++] = 0x80 | ((code >> 12) & 0x3f);
      into[pos++] = 0x80 | ((code >> 6) & 0x3f);
      into[pos++] = 0x80 | (code & 0x3f);
    } else {
      if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
      into[pos++] = 0xe0 | (code >> 12);
      into[pos++] = 0x80 | ((code >> 6) & 0x3f);
      into[pos++] = 0x80 | (code & 0x3f);
    }
  }
  return pos;
}

function isPair(text: string, index: number, code: number): boolean {
  if (code < 0xd800 || code > 0xdbff) return false;
  const next = text.charCodeAt(index + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}

/** Copies `from[start, end)`; @returns the position after it. */
export function copyBytes(into: Uint8Array, at: number, from: Uint8Array, start: number, end: number): number {
  const length = end - start;
  // Below this a loop beats making a view and calling into the engine.
  if (length <= 40) {
    for (let i = 0; i < length; i++) into[at + i] = from[start + i]!;
  } else if (length === from.length) {
    into.set(from, at);
  } else {
    into.set(from.subarray(start, end), at);
  }
  return at + length;
}
