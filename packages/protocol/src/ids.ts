import { platform } from "./platform.ts";

/** Times and random bytes, as the host gives them; tests pass their own. */
export interface IdOptions {
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** Fills with random bytes. Default the host's `crypto.getRandomValues`. */
  readonly getRandomValues?: (into: Uint8Array) => void;
}

/** Makes ids for one process; all of its uuids are in order. Safe to share by everything in that process. */
export interface IdSource {
  /**
   * A UUID version 7 that sorts after every earlier one of this source, also within one millisecond and when the clock
   * steps back.
   */
  uuid(): string;
  /** 32 hex digits, never all zero. */
  traceId(): string;
  /** 16 hex digits, never all zero. */
  spanId(): string;
}

/** Random bytes are drawn this many at a time: asking the host costs more than the bytes do. */
const POOL_BYTES = 1024;

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/**
 * A source of ids. The 12 bits after the time are a counter that starts at random in its lower half each millisecond and
 * goes up by one per id; when it is used up, the time runs ahead of the clock by a millisecond.
 */
export function createIdSource(options: IdOptions = {}): IdSource {
  const now = options.now ?? (() => Date.now());
  const fill = options.getRandomValues ?? ((into: Uint8Array) => void platform.crypto.getRandomValues(into));
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  let time = 0;
  let counter = 0;

  /** @returns the offset of `count` fresh random bytes in the pool */
  const draw = (count: number): number => {
    if (used + count > POOL_BYTES) {
      fill(pool);
      used = 0;
    }
    used += count;
    return used - count;
  };

  const hex = (from: number, count: number): string => {
    let text = "";
    for (let i = from; i < from + count; i++) text += HEX[pool[i]!];
    return text;
  };

  const nonZero = (count: number): string => {
    for (;;) {
      const id = hex(draw(count), count);
      if (!isZero(id)) return id;
    }
  };

  return {
    uuid() {
      const at = draw(10);
      const clock = now();
      if (clock > time) {
        time = clock;
        counter = ((pool[at]! & 0x07) << 8) | pool[at + 1]!;
      } else if (++counter > 0xfff) {
        time++;
        counter = ((pool[at]! & 0x07) << 8) | pool[at + 1]!;
      }
      return formatUuid(time, counter, pool, at + 2);
    },
    traceId: () => nonZero(16),
    spanId: () => nonZero(8),
  };
}

/** One UUID version 7. In order with others only from one millisecond to the next; {@link createIdSource} does better. */
export function uuidv7(options: IdOptions = {}): string {
  const random = new Uint8Array(10);
  (options.getRandomValues ?? ((into: Uint8Array) => platform.crypto.getRandomValues(into)))(random);
  return formatUuid(options.now?.() ?? Date.now(), ((random[0]! & 0x0f) << 8) | random[1]!, random, 2);
}

/** 48 bits of time, version, 12 bits of counter, variant, 62 random bits (the 8 bytes at `at`). */
function formatUuid(time: number, counter: number, random: Uint8Array, at: number): string {
  const high = Math.floor(time / 0x10000);
  const low = time & 0xffff;
  return (
    HEX[(high >>> 24) & 0xff]! +
    HEX[(high >>> 16) & 0xff] +
    HEX[(high >>> 8) & 0xff] +
    HEX[high & 0xff] +
    "-" +
    HEX[low >>> 8] +
    HEX[low & 0xff] +
    "-" +
    HEX[0x70 | (counter >>> 8)] +
    HEX[counter & 0xff] +
    "-" +
    HEX[0x80 | (random[at]! & 0x3f)] +
    HEX[random[at + 1]!] +
    "-" +
    HEX[random[at + 2]!] +
    HEX[random[at + 3]!] +
    HEX[random[at + 4]!] +
    HEX[random[at + 5]!] +
    HEX[random[at + 6]!] +
    HEX[random[at + 7]!]
  );
}

function isZero(hex: string): boolean {
  for (let i = 0; i < hex.length; i++) if (hex.charCodeAt(i) !== 48) return false;
  return true;
}
