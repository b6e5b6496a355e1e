import { varintSize } from "./wire.ts";
import { writeVarint } from "./write.ts";

/** Publish.timestamp. */
const TIMESTAMP_TAG = 1610;
const SECONDS_TAG = 8;
const NANOS_TAG = 16;

/** Bytes of the whole timestamp field; 0 where there is none. Times from 1970 to 2106. */
export function timestampFieldSize(epochMs: number | undefined): number {
  if (epochMs === undefined) return 0;
  const payload = payloadSize(epochMs);
  return varintSize(TIMESTAMP_TAG) + varintSize(payload) + payload;
}

/** Writes what {@link timestampFieldSize} measured; @returns the position after it. */
export function writeTimestampField(into: Uint8Array, start: number, epochMs: number | undefined): number {
  if (epochMs === undefined) return start;
  const seconds = wholeSeconds(epochMs);
  const nanos = nanosOf(epochMs);
  let at = writeVarint(into, writeVarint(into, start, TIMESTAMP_TAG), payloadSize(epochMs));
  if (seconds !== 0) at = writeVarint(into, writeVarint(into, at, SECONDS_TAG), seconds);
  if (nanos !== 0) at = writeVarint(into, writeVarint(into, at, NANOS_TAG), nanos);
  return at;
}

function payloadSize(epochMs: number): number {
  const seconds = wholeSeconds(epochMs);
  const nanos = nanosOf(epochMs);
  return (seconds === 0 ? 0 : 1 + varintSize(seconds)) + (nanos === 0 ? 0 : 1 + varintSize(nanos));
}

function wholeSeconds(epochMs: number): number {
  return Math.floor(epochMs / 1000) >>> 0;
}

function nanosOf(epochMs: number): number {
  return (Math.floor(epochMs) % 1000) * 1_000_000;
}
