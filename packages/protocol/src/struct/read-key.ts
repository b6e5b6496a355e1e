import { readLenientText } from "./read-text.ts";

/** Longer keys are not remembered. */
const KEY_BYTES = 32;

/** How many are remembered; a power of two, since slots are masked with one less. */
const KEYS = 1024;

/**
 * Keys that were read lately, by slot; a new one takes the place of whatever had its slot. Messages repeat their keys, and
 * comparing bytes is several times faster than making a string again and having the engine find out that it knows it. This
 * changes no result and stays at its size, whatever peers send.
 */
const texts: string[] = new Array<string>(KEYS).fill("");
const sizes = new Uint8Array(KEYS);
const bytesOfKeys = new Uint8Array(KEYS * KEY_BYTES);

/** The text of `bytes[start, end)`, as `readLenientText` reads it, for texts that come again and again. */
export function readKey(bytes: Uint8Array, start: number, end: number): string {
  const size = end - start;
  if (size === 0 || size > KEY_BYTES) return readLenientText(bytes, start, end);
  const slot = slotOf(bytes[start]!, bytes[start + (size >> 1)]!, bytes[end - 1]!, size);
  const at = slot * KEY_BYTES;
  if (sizes[slot] === size) {
    let i = 0;
    while (i < size && bytesOfKeys[at + i] === bytes[start + i]) i++;
    if (i === size) return texts[slot]!;
  }
  const text = readLenientText(bytes, start, end);
  texts[slot] = text;
  sizes[slot] = size;
  for (let i = 0; i < size; i++) bytesOfKeys[at + i] = bytes[start + i]!;
  return text;
}

/** Three bytes and the size tell the keys of a message apart well enough. */
function slotOf(first: number, middle: number, last: number, size: number): number {
  return (first ^ (middle << 3) ^ (last << 5) ^ (size << 2)) & (KEYS - 1);
}
