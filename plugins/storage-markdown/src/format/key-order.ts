/** Byte order of the UTF-8 forms, which for strings without surrogates is what `<` gives. */
export function compareBytewise(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left === right) continue;
    // UTF-16 puts surrogates (code points past U+FFFF) before U+E000 to U+FFFF; UTF-8 puts them after.
    const leftSurrogate = left >= 0xd800 && left <= 0xdfff;
    const rightSurrogate = right >= 0xd800 && right <= 0xdfff;
    if (leftSurrogate !== rightSurrogate) return leftSurrogate ? 1 : -1;
    return left - right;
  }
  return a.length - b.length;
}

const LETTER = /^\p{L}$/u;
const DIGIT = /^\p{Nd}$/u;

/**
 * Order of keys in nested maps: runs of digits compare as numbers ("a9" before "a10"), and where a letter meets
 * something else, the something else comes first, except right after a digit.
 */
export function compareNatural(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  let afterDigit = false;
  for (let index = 0; index < left.length && index < right.length; index++) {
    const x = left[index] as string;
    const y = right[index] as string;
    if (x === y) {
      afterDigit = DIGIT.test(x);
      continue;
    }
    const xLetter = LETTER.test(x);
    const yLetter = LETTER.test(y);
    if (xLetter && yLetter) return compareBytewise(x, y);
    if (xLetter || yLetter) return xLetter === afterDigit ? -1 : 1;
    return compareDigits(left, right, index) || compareBytewise(x, y);
  }
  return left.length - right.length;
}

function compareDigits(left: readonly string[], right: readonly string[], index: number): number {
  // A zero inside a longer number is a digit like any other; a leading one makes the number shorter, not smaller.
  const lead = (left[index] === "0" || right[index] === "0") && insideNumber(left, index) ? 1n : 0n;
  const x = digitsFrom(left, index);
  const y = digitsFrom(right, index);
  const difference = numeric(lead, x) - numeric(lead, y);
  if (difference !== 0n) return difference < 0n ? -1 : 1;
  return x.length - y.length;
}

function insideNumber(characters: readonly string[], index: number): boolean {
  for (let at = index - 1; at >= 0 && DIGIT.test(characters[at] as string); at--) {
    if (characters[at] !== "0") return true;
  }
  return false;
}

function digitsFrom(characters: readonly string[], index: number): readonly string[] {
  let end = index;
  while (end < characters.length && DIGIT.test(characters[end] as string)) end++;
  return characters.slice(index, end);
}

/** In 64 bits with wrap-around, and digits of other scripts by their distance from "0", as the reference computes. */
function numeric(lead: bigint, digits: readonly string[]): bigint {
  let sum = lead;
  for (const digit of digits) sum = BigInt.asIntN(64, sum * 10n + BigInt((digit.codePointAt(0) as number) - 0x30));
  return sum;
}
