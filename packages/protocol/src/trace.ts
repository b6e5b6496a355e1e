/** Where in a trace a call stands, as the W3C trace context has it. */
export interface TraceParent {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** The span of the caller: 16 lower-case hex digits, not all zero. */
  readonly spanId: string;
  /** 0 to 255; bit 0 says that the caller records the trace. */
  readonly flags: number;
}

const VERSION_00 = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/**
 * Reads `00-<trace id>-<span id>-<flags>`. Strict: lower case only, exactly that length, version 00, no zero ids.
 * @returns undefined for anything else: a broken trace starts a new one and never fails a call
 */
export function parseTraceParent(text: string): TraceParent | undefined {
  const match = text.length === 55 ? VERSION_00.exec(text) : null;
  if (match === null) return undefined;
  const traceId = match[1]!;
  const spanId = match[2]!;
  if (traceId === "0".repeat(32) || spanId === "0".repeat(16)) return undefined;
  return { traceId, spanId, flags: Number.parseInt(match[3]!, 16) };
}

/** Writes what {@link parseTraceParent} reads. */
export function formatTraceParent(trace: TraceParent): string {
  return `00-${trace.traceId}-${trace.spanId}-${(trace.flags & 0xff).toString(16).padStart(2, "0")}`;
}
