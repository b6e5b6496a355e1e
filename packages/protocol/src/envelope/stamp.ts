import { RequestKind } from "../constants.ts";
import { contextFieldSize, contextSize, writeContextField } from "./context.ts";
import { copyWithout } from "./copy-without.ts";
import type { RequestPeek } from "./request-peek.ts";
import { callerField } from "./shapes.ts";
import { varintSize } from "./wire.ts";
import { copyBytes, textFieldSize, textSize, writeTextField, writeVarint } from "./write.ts";

/** Bytes of a W3C trace parent. */
export const TRACE_PARENT_BYTES = 55;
const TOOL_CALL_TRACE_TAG = 34;
const PLACEHOLDER = "0".repeat(TRACE_PARENT_BYTES);

export interface StampOptions {
  /** The verified caller. */
  readonly caller: string;
  /** What is left for the call, a whole number of milliseconds from 1 to 2^32 - 1. */
  readonly timeoutMs: number;
  readonly wantsProgress: boolean;
}

/**
 * What the hub adds to the requests of one caller, prepared as bytes: all that changes from one call to the next is the trace.
 * A {@link StampedRequest} puts it in; the result is that of `spliceRequest` with the same caller, context and trace.
 */
export class RequestStamp {
  readonly kind: number;
  /** Comes last in the member. */
  readonly member: Uint8Array;
  /** Comes last of all. */
  readonly context: Uint8Array;
  readonly #memberTraceAt: number;
  readonly #contextTraceAt: number;

  /** @param kind of the requests, see `RequestKind`; publish is not among them */
  constructor(kind: number, { caller, timeoutMs, wantsProgress }: StampOptions) {
    this.kind = kind;
    const callerSize = textSize(caller);
    const field = callerField(kind);
    const callerTag = (field << 3) | 2;
    const callerBytes = field === 0 ? 0 : textFieldSize(callerTag, callerSize);
    const traced = kind === RequestKind.ToolCall;
    const traceBytes = traced ? textFieldSize(TOOL_CALL_TRACE_TAG, TRACE_PARENT_BYTES) : 0;
    this.member = new Uint8Array(callerBytes + traceBytes);
    if (field !== 0) writeTextField(this.member, 0, callerTag, caller, callerSize);
    if (traced) writeTextField(this.member, callerBytes, TOOL_CALL_TRACE_TAG, PLACEHOLDER, TRACE_PARENT_BYTES);
    this.#memberTraceAt = traced ? this.member.length - TRACE_PARENT_BYTES : -1;

    const context = { timeoutMs, traceParent: PLACEHOLDER, wantsProgress };
    const size = contextSize(context, callerSize, TRACE_PARENT_BYTES);
    this.context = new Uint8Array(contextFieldSize(size));
    writeContextField(this.context, 0, context, size, caller, callerSize, TRACE_PARENT_BYTES);
    // After the tag and length of the field, and the timeout, the trace has a tag and a length of a byte each.
    const before = this.context.length - size;
    this.#contextTraceAt = before + 1 + varintSize(timeoutMs >>> 0) + 2;
  }

  /** @param trace the trace parent of the next request, {@link TRACE_PARENT_BYTES} of ASCII */
  setTrace(trace: Uint8Array): void {
    if (this.#memberTraceAt >= 0) this.member.set(trace, this.#memberTraceAt);
    this.context.set(trace, this.#contextTraceAt);
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** A request on its way through the hub, written where it is sent. One object serves one request after the other. */
export class StampedRequest {
  /** Bytes of the stamped request. */
  length = 0;
  #bytes: Uint8Array = NOTHING;
  #peek: RequestPeek | undefined;
  #stamp: RequestStamp | undefined;
  #bodySize = 0;

  /** @param bytes what was peeked, unchanged since, and of the kind of the stamp */
  set(bytes: Uint8Array, peek: RequestPeek, stamp: RequestStamp): void {
    this.#bytes = bytes;
    this.#peek = peek;
    this.#stamp = stamp;
    const { memberStart, bodyStart, bodyEnd } = peek;
    const traced = stamp.kind === RequestKind.ToolCall ? peek.traceEnd - peek.traceStart : 0;
    this.#bodySize = bodyEnd - bodyStart - (peek.callerEnd - peek.callerStart) - traced + stamp.member.length;
    const member = varintSize(((stamp.kind << 3) | 2) >>> 0) + varintSize(this.#bodySize) + this.#bodySize;
    const rest = bytes.length - (peek.contextEnd - peek.contextStart) - (bodyEnd - memberStart);
    this.length = rest + member + stamp.context.length;
  }

  writeTo(into: Uint8Array, start: number): void {
    const peek = this.#peek!;
    const stamp = this.#stamp!;
    const bytes = this.#bytes;
    const { contextStart, contextEnd, bodyStart, bodyEnd, callerStart, callerEnd } = peek;
    const { member } = stamp;
    let at = copyWithout(into, start, bytes, 0, peek.memberStart, contextStart, contextEnd, 0, 0, 0, 0);
    at = writeVarint(into, writeVarint(into, at, ((stamp.kind << 3) | 2) >>> 0), this.#bodySize);
    const traceEnd = stamp.kind === RequestKind.ToolCall ? peek.traceEnd : 0;
    at = copyWithout(into, at, bytes, bodyStart, bodyEnd, callerStart, callerEnd, peek.traceStart, traceEnd, 0, 0);
    at = copyBytes(into, at, member, 0, member.length);
    at = copyWithout(into, at, bytes, bodyEnd, bytes.length, contextStart, contextEnd, 0, 0, 0, 0);
    copyBytes(into, at, stamp.context, 0, stamp.context.length);
  }

  /** The same as {@link writeTo} in pieces: those of the request are views of it. */
  segments(): Uint8Array[] {
    const peek = this.#peek!;
    const stamp = this.#stamp!;
    const bytes = this.#bytes;
    const { contextStart, contextEnd, bodyStart, bodyEnd, callerStart, callerEnd } = peek;
    const head = new Uint8Array(10);
    const tag = writeVarint(head, 0, ((stamp.kind << 3) | 2) >>> 0);
    const headEnd = writeVarint(head, tag, this.#bodySize);
    const traceStart = stamp.kind === RequestKind.ToolCall ? peek.traceStart : 0;
    const traceEnd = stamp.kind === RequestKind.ToolCall ? peek.traceEnd : 0;
    return [
      ...viewsWithout(bytes, 0, peek.memberStart, contextStart, contextEnd, 0, 0),
      head.subarray(0, headEnd),
      ...viewsWithout(bytes, bodyStart, bodyEnd, callerStart, callerEnd, traceStart, traceEnd),
      stamp.member.slice(),
      ...viewsWithout(bytes, bodyEnd, bytes.length, contextStart, contextEnd, 0, 0),
      stamp.context.slice(),
    ];
  }

  /** Lets go of the request, whose buffer it would keep alive. */
  clear(): void {
    this.#bytes = NOTHING;
    this.#peek = undefined;
    this.length = 0;
  }
}

/** Views of `[start, end)` without two ranges, which may come in any order, lie outside, or be empty. */
function viewsWithout(
  bytes: Uint8Array,
  start: number,
  end: number,
  aStart: number,
  aEnd: number,
  bStart: number,
  bEnd: number,
): Uint8Array[] {
  const ranges = [
    [aStart, aEnd],
    [bStart, bEnd],
  ].filter(([from, to]) => to! > from! && from! >= start && to! <= end) as [number, number][];
  ranges.sort(([a], [b]) => a - b);
  const views: Uint8Array[] = [];
  let at = start;
  for (const [from, to] of [...ranges, [end, end]] as const) {
    if (from > at) views.push(bytes.subarray(at, from));
    at = to;
  }
  return views;
}
