import { platform } from "../platform.ts";

/** Longer texts are read by the host's decoder, which costs the same for 1 byte and 60. */
const SHORT_TEXT_BYTES = 24;

/** Bytes that are not UTF-8 become U+FFFD, as in the generated codecs. A leading U+FEFF is text, not a byte-order mark. */
const utf8 = new platform.TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/** The text of `bytes[start, end)`. */
export function readLenientText(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > SHORT_TEXT_BYTES) return utf8.decode(bytes.subarray(start, end));
  let all = 0;
  for (let pos = start; pos < end; pos++) all |= bytes[pos]!;
  if (all > 0x7f) return utf8.decode(bytes.subarray(start, end));
  if (length <= 8) return fewCharacters(bytes, start, length);
  // Adding up is no good for more than this: the engine would make a tree, to be flattened when somebody looks at it.
  if (length <= 12) return fewCharacters(bytes, start, 8) + fewCharacters(bytes, start + 8, length - 8);
  const codes = new Array<number>(length);
  for (let i = 0; i < length; i++) codes[i] = bytes[start + i]!;
  return String.fromCharCode.apply(null, codes);
}

/** Up to eight ASCII characters. A call whose arguments are written out takes half the time of one with an array. */
function fewCharacters(b: Uint8Array, at: number, length: number): string {
  const text = String.fromCharCode;
  switch (length) {
    case 0:
      return "";
    case 1:
      return text(b[at]!);
    case 2:
      return text(b[at]!, b[at + 1]!);
    case 3:
      return text(b[at]!, b[at + 1]!, b[at + 2]!);
    case 4:
      return text(b[at]!, b[at + 1]!, b[at + 2]!, b[at + 3]!);
    case 5:
      return text(b[at]!, b[at + 1]!, b[at + 2]!, b[at + 3]!, b[at + 4]!);
    case 6:
      return text(b[at]!, b[at + 1]!, b[at + 2]!, b[at + 3]!, b[at + 4]!, b[at + 5]!);
    case 7:
      return text(b[at]!, b[at + 1]!, b[at + 2]!, b[at + 3]!, b[at + 4]!, b[at + 5]!, b[at + 6]!);
    default:
      return text(b[at]!, b[at + 1]!, b[at + 2]!, b[at + 3]!, b[at + 4]!, b[at + 5]!, b[at + 6]!, b[at + 7]!);
  }
}
