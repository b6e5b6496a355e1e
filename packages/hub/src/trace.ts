import { TRACE_PARENT_BYTES } from "@orchestrator/protocol";

const TRACE_AT = 3;
const TRACE_DIGITS = 32;
const SPAN_AT = 36;
const SPAN_DIGITS = 16;
const FLAGS_AT = 53;
const DASH = 0x2d;
const ONE = 0x31;
const ZERO = 0x30;

/**
 * Gives every call its place in a trace: a random start per hub, then counting, which costs no system call per call. All of it
 * is ASCII in place, as it travels: text is made for whoever asks, which is rare.
 */
export class SpanSource {
  /** The trace parent for the callee of the current call. */
  readonly traceParent: Uint8Array;
  /** The span of the caller, `SPAN_DIGITS` of ASCII; means something while `hasParent` is true. */
  readonly parentSpan = new Uint8Array(SPAN_DIGITS);
  hasParent = false;
  /** What the current call's ids would be at the root of a trace. */
  readonly #root: Uint8Array;

  constructor() {
    this.#root = new Uint8Array(TRACE_PARENT_BYTES);
    // 16 random digits of the trace and 8 of the span; the others count, so that no two calls of this hub share an id.
    const text = `00-${randomHex(16)}${"0".repeat(16)}-${randomHex(8)}${"0".repeat(8)}-01`;
    for (let at = 0; at < text.length; at += 1) this.#root[at] = text.charCodeAt(at);
    this.traceParent = this.#root.slice();
  }

  /**
   * Makes the ids of the next call.
   * @param bytes what the caller sent as W3C trace context lies in `[start, end)`; anything that does not fit starts a new trace
   */
  next(bytes: Uint8Array, start: number, end: number): void {
    countUp(this.#root, SPAN_AT + SPAN_DIGITS - 1, 8);
    const span = this.traceParent;
    this.hasParent = isTraceParent(bytes, start, end);
    if (!this.hasParent) {
      countUp(this.#root, TRACE_AT + TRACE_DIGITS - 1, 16);
      for (let at = 0; at < TRACE_PARENT_BYTES; at += 1) span[at] = this.#root[at]!;
      return;
    }
    for (let at = TRACE_AT; at < TRACE_AT + TRACE_DIGITS; at += 1) span[at] = bytes[start + at]!;
    for (let at = 0; at < SPAN_DIGITS; at += 1) {
      this.parentSpan[at] = bytes[start + SPAN_AT + at]!;
      span[SPAN_AT + at] = this.#root[SPAN_AT + at]!;
    }
    span[FLAGS_AT] = bytes[start + FLAGS_AT]!;
    span[FLAGS_AT + 1] = bytes[start + FLAGS_AT + 1]!;
  }
}

/** The text of the digits that a {@link SpanSource} made. */
export function traceIdOf(traceParent: Uint8Array): string {
  return String.fromCharCode(...traceParent.subarray(TRACE_AT, TRACE_AT + TRACE_DIGITS));
}

export function spanIdOf(traceParent: Uint8Array): string {
  return String.fromCharCode(...traceParent.subarray(SPAN_AT, SPAN_AT + SPAN_DIGITS));
}

/** Adds one to a hexadecimal number of so many digits that ends at `last`; it starts again from 0 after the highest. */
function countUp(digits: Uint8Array, last: number, count: number): void {
  for (let at = last; at > last - count; at -= 1) {
    const digit = digits[at]!;
    if (digit === 0x66) digits[at] = ZERO;
    else {
      digits[at] = digit === 0x39 ? 0x61 : digit + 1;
      return;
    }
  }
}

/** `<version>-<trace id>-<span id>-<flags>`; versions after 00 may have more behind it. Zero ids mean nothing. */
function isTraceParent(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < TRACE_PARENT_BYTES) return false;
  if (bytes[start + 2] !== DASH || bytes[start + SPAN_AT - 1] !== DASH || bytes[start + FLAGS_AT - 1] !== DASH) {
    return false;
  }
  return (
    isHex(bytes, start, 2) !== 0 &&
    isHex(bytes, start + TRACE_AT, TRACE_DIGITS) === 2 &&
    isHex(bytes, start + SPAN_AT, SPAN_DIGITS) === 2 &&
    isHex(bytes, start + FLAGS_AT, 2) !== 0
  );
}

/** @returns 0 unless these are lower-case hexadecimal digits, 1 when all of them are zero, else 2 */
function isHex(bytes: Uint8Array, start: number, count: number): number {
  let found = 1;
  for (let at = start; at < start + count; at += 1) {
    const byte = bytes[at]!;
    if (byte === ZERO) continue;
    if (!((byte >= ONE && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66))) return 0;
    found = 2;
  }
  return found;
}

function randomHex(digits: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(digits / 2))).toString("hex");
}
