import { RequestKind } from "../constants.ts";
import { type AllocateOptions, allocate } from "./allocate.ts";
import { type ContextFields, contextSize, writeContext } from "./context.ts";
import type { RequestPeek } from "./peek-request.ts";
import { callerField } from "./shapes.ts";
import { timestampFieldSize, writeTimestampField } from "./timestamp.ts";
import { varintSize } from "./wire.ts";
import { copyBytes, textFieldSize, writeTextField, writeVarint } from "./write.ts";

const REQUEST_ID_TAG = 10;
const TOOL_CALL_TRACE_TAG = 34;
const PUBLISH_SUBSCRIPTION_TAG = 1602;

/** What changes on the way through the hub; everything else of the request keeps its bytes. */
export interface SpliceOptions extends AllocateOptions {
  /** The verified caller. Replaces caller_plugin (tool_call, stream_start) or source_plugin (publish), and stands in the context. */
  readonly caller: string;
  /** The hub's own context. Whatever the caller sent as context is removed; with `undefined` nothing takes its place. */
  readonly context: ContextFields | undefined;
  /** Replaces the request's id, if given. */
  readonly requestId?: string | undefined;
  /** Replaces tool_call.trace_parent, if given ("" removes it). Ignored for other kinds. */
  readonly legacyTraceParent?: string | undefined;
  /** publish only: the subscription that this delivery answers. What the publisher wrote there is removed in any case. */
  readonly subscriptionId?: string | undefined;
  /** publish only: when the hub received the event, epoch milliseconds, or absent. What the publisher wrote there is removed in any case. */
  readonly receivedAtMs?: number | undefined;
}

/**
 * Makes the request that the hub forwards out of the one that it received: one new buffer, nothing decoded, unknown fields
 * kept. The new fields of the member come last in it, and the context comes last of all.
 * @param bytes what was peeked, unchanged since
 * @param peek what `peekRequest` made of it
 */
export function spliceRequest(bytes: Uint8Array, peek: RequestPeek, options: SpliceOptions): Uint8Array {
  const { kind } = peek;
  const { caller, context } = options;
  const isPublish = kind === RequestKind.Publish;
  const hasCaller = callerField(kind) !== 0;
  const callerTag = (callerField(kind) << 3) | 2;
  const trace = kind === RequestKind.ToolCall ? options.legacyTraceParent : undefined;
  const subscriptionId = isPublish ? (options.subscriptionId ?? "") : "";
  const receivedAtMs = isPublish ? options.receivedAtMs : undefined;
  const requestId =
    options.requestId === undefined || options.requestId === peek.requestId ? undefined : options.requestId;

  const traceStart = trace === undefined ? 0 : peek.traceStart;
  const traceEnd = trace === undefined ? 0 : peek.traceEnd;
  let bodySize = peek.bodyEnd - peek.bodyStart;
  if (hasCaller) {
    bodySize -= peek.callerEnd - peek.callerStart + (traceEnd - traceStart);
    bodySize += textFieldSize(callerTag, caller);
    if (trace !== undefined) bodySize += textFieldSize(TOOL_CALL_TRACE_TAG, trace);
    if (isPublish) {
      bodySize -= peek.subscriptionEnd - peek.subscriptionStart + (peek.timestampEnd - peek.timestampStart);
      bodySize += textFieldSize(PUBLISH_SUBSCRIPTION_TAG, subscriptionId) + timestampFieldSize(receivedAtMs);
    }
  }

  const idStart = requestId === undefined ? 0 : peek.requestIdStart;
  const idEnd = requestId === undefined ? 0 : peek.requestIdEnd;
  const contextBytes = context === undefined ? 0 : contextSize(context, caller);
  let size = bytes.length - (peek.contextEnd - peek.contextStart) - (idEnd - idStart) + contextBytes;
  if (requestId !== undefined) size += textFieldSize(REQUEST_ID_TAG, requestId);
  const memberTag = ((kind << 3) | 2) >>> 0;
  if (kind !== 0) {
    size += varintSize(memberTag) + varintSize(bodySize) + bodySize - (peek.bodyEnd - peek.memberStart);
  }

  const out = allocate(size, options);
  let at = requestId === undefined ? 0 : writeTextField(out, 0, REQUEST_ID_TAG, requestId);
  const { contextStart, contextEnd } = peek;
  let from = 0;
  if (kind !== 0) {
    at = copyWithout(out, at, bytes, 0, peek.memberStart, idStart, idEnd, contextStart, contextEnd, 0, 0);
    at = writeVarint(out, writeVarint(out, at, memberTag), bodySize);
    if (!hasCaller) {
      at = copyBytes(out, at, bytes, peek.bodyStart, peek.bodyEnd);
    } else {
      // A kind has a trace or a subscription, never both, so three ranges are enough.
      at = isPublish
        ? copyWithout(
            out,
            at,
            bytes,
            peek.bodyStart,
            peek.bodyEnd,
            peek.callerStart,
            peek.callerEnd,
            peek.subscriptionStart,
            peek.subscriptionEnd,
            peek.timestampStart,
            peek.timestampEnd,
          )
        : copyWithout(
            out,
            at,
            bytes,
            peek.bodyStart,
            peek.bodyEnd,
            peek.callerStart,
            peek.callerEnd,
            traceStart,
            traceEnd,
            0,
            0,
          );
      at = writeTextField(out, at, callerTag, caller);
      if (trace !== undefined) at = writeTextField(out, at, TOOL_CALL_TRACE_TAG, trace);
      if (isPublish) {
        at = writeTextField(out, at, PUBLISH_SUBSCRIPTION_TAG, subscriptionId);
        at = writeTimestampField(out, at, receivedAtMs);
      }
    }
    from = peek.bodyEnd;
  }
  at = copyWithout(out, at, bytes, from, bytes.length, idStart, idEnd, contextStart, contextEnd, 0, 0);
  if (context !== undefined) writeContext(out, at, context, caller);
  return out;
}

/**
 * Copies `from[start, end)` except up to three ranges (a, b, c), which may come in any order, lie outside, or be empty.
 * Numbers and no list: this runs for every call, and a list would be garbage each time.
 */
function copyWithout(
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
