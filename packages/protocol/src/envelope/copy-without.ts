import { copyBytes } from "./write.ts";

/**
 * Copies `from[start, end)` except up to three ranges (a, b, c), which may come in any order, lie outside, or be empty.
 * Numbers and no list: this runs for every call, and a list would be garbage each time.
 * @returns the position after what was written
 */
export function copyWithout(
  into: Uint8Array,
  at: number,
  from: Uint8Array,
  start: number,
  end: number,
  aStart: number,
  aEnd: number,
  bStart: number,
  bEnd: number,
  cStart: number,
  cEnd: number,
): number {
  let pos = start;
  let written = at;
  for (;;) {
    let gapStart = end;
    let gapEnd = end;
    if (aEnd > aStart && aStart >= pos && aStart < gapStart) {
      gapStart = aStart;
      gapEnd = aEnd;
    }
    if (bEnd > bStart && bStart >= pos && bStart < gapStart) {
      gapStart = bStart;
      gapEnd = bEnd;
    }
    if (cEnd > cStart && cStart >= pos && cStart < gapStart) {
      gapStart = cStart;
      gapEnd = cEnd;
    }
    written = copyBytes(into, written, from, pos, gapStart);
    if (gapStart === end) return written;
    pos = gapEnd;
  }
}
