import { RequestKind } from "../constants.ts";
import { type AllocateOptions, allocate } from "./allocate.ts";
import { type ContextFields, contextFieldSize, contextSize, writeContextField } from "./context.ts";
import { copyWithout } from "./copy-without.ts";
import type { RequestPeek } from "./request-peek.ts";
import { callerField } from "./shapes.ts";
import { timestampFieldSize, writeTimestampField } from "./timestamp.ts";
import { varintSize } from "./wire.ts";
import { copyBytes, textFieldSize, textSize, writeTextField, writeVarint } from "./write.ts";

const REQUEST_ID_TAG = 10;
const TOOL_CALL_TRACE_TAG = 34;
const PUBLISH_SUBSCRIPTION_TAG = 1602;

/** What changes on the way through the hub; everything else of the request keeps its bytes. */
export interface SpliceOptions extends AllocateOptions {
  /**
   * The verified caller. Replaces caller_plugin (tool_call, stream_start) or source_plugin (publish), and stands in the
   * context.
   */
  readonly caller: string;
  /** The hub's own context. Whatever the caller sent as context is removed; with `undefined` nothing takes its place. */
  readonly context: ContextFields | undefined;
  /** Replaces the request's id, if given. */
  readonly requestId?: string | undefined;
  /** Replaces tool_call.trace_parent, if given ("" removes it). Ignored for other kinds. */
  readonly legacyTraceParent?: string | undefined;
  /** publish only: the subscription that this delivery answers. What the publisher wrote there is removed in any case. */
  readonly subscriptionId?: string | undefined;
  /**
   * publish only: when the hub received the event, epoch milliseconds. What the publisher wrote there is removed in any
   * case.
   */
  readonly receivedAtMs?: number | undefined;
}

/**
 * Makes the request that the hub forwards out of the one that it received: one new buffer, nothing decoded, unknown fields
 * kept. The new fields of the member come last in it, and the context comes last of all.
 * @param bytes what was peeked, unchanged since
 * @param peek what `peekRequest` made of it
 */
export function spliceRequest(bytes: Uint8Array, peek: RequestPeek, options: SpliceOptions): Uint8Array {
  // Names, ids and traces are ASCII nearly always. Guessing so saves a pass over each of them; the writing checks the guess.
  return splice(bytes, peek, options, textLength) ?? splice(bytes, peek, options, textSize)!;
}

type Measure = (text: string) => number;

function textLength(text: string): number {
  return text.length;
}

/** @returns undefined when a text turned out not to have the size that `measure` gave */
function splice(
  bytes: Uint8Array,
  peek: RequestPeek,
  options: SpliceOptions,
  measure: Measure,
): Uint8Array | undefined {
  const { kind, memberStart, bodyEnd, contextStart, contextEnd } = peek;
  const { caller, context, requestId } = options;
  const callerSize = measure(caller);

  let size = bytes.length - (contextEnd - contextStart);
  let traceSize = 0;
  let contextBytes = 0;
  if (context !== undefined) {
    if (context.traceParent !== undefined) traceSize = measure(context.traceParent);
    contextBytes = contextSize(context, callerSize, traceSize);
    size += contextFieldSize(contextBytes);
  }

  let idSize = 0;
  let idStart = 0;
  let idEnd = 0;
  if (requestId !== undefined) {
    idSize = measure(requestId);
    idStart = peek.requestIdStart;
    idEnd = peek.requestIdEnd;
    size += textFieldSize(REQUEST_ID_TAG, idSize) - (idEnd - idStart);
  }

  const memberTag = ((kind << 3) | 2) >>> 0;
  let bodySize = 0;
  if (kind !== 0) {
    bodySize = splicedBodySize(peek, options, callerSize, measure);
    size += varintSize(memberTag) + varintSize(bodySize) + bodySize - (bodyEnd - memberStart);
  }

  const out = allocate(size, options);
  let at = requestId === undefined ? 0 : writeTextField(out, 0, REQUEST_ID_TAG, requestId, idSize);
  if (at < 0) return undefined;
  let from = 0;
  if (kind !== 0) {
    at = copyWithout(out, at, bytes, 0, memberStart, idStart, idEnd, contextStart, contextEnd, 0, 0);
    at = writeVarint(out, writeVarint(out, at, memberTag), bodySize);
    at = writeBody(out, at, bytes, peek, options, callerSize, measure);
    if (at < 0) return undefined;
    from = bodyEnd;
  }
  at = copyWithout(out, at, bytes, from, bytes.length, idStart, idEnd, contextStart, contextEnd, 0, 0);
  if (context !== undefined) at = writeContextField(out, at, context, contextBytes, caller, callerSize, traceSize);
  return at < 0 ? undefined : out;
}

/** Bytes of the member's payload after the change. */
function splicedBodySize(peek: RequestPeek, options: SpliceOptions, callerSize: number, measure: Measure): number {
  const { kind } = peek;
  const size = peek.bodyEnd - peek.bodyStart;
  const field = callerField(kind);
  if (field === 0) return size;
  const stamped = size - (peek.callerEnd - peek.callerStart) + textFieldSize((field << 3) | 2, callerSize);
  if (kind === RequestKind.ToolCall && options.legacyTraceParent !== undefined) {
    const trace = textFieldSize(TOOL_CALL_TRACE_TAG, measure(options.legacyTraceParent));
    return stamped - (peek.traceEnd - peek.traceStart) + trace;
  }
  if (kind === RequestKind.Publish) {
    const removed = peek.subscriptionEnd - peek.subscriptionStart + (peek.timestampEnd - peek.timestampStart);
    const subscription = textFieldSize(PUBLISH_SUBSCRIPTION_TAG, measure(options.subscriptionId ?? ""));
    return stamped - removed + subscription + timestampFieldSize(options.receivedAtMs);
  }
  return stamped;
}

/** Writes what {@link splicedBodySize} measured; @returns the position after it, or -1 as `writeTextField` does. */
function writeBody(
  out: Uint8Array,
  start: number,
  bytes: Uint8Array,
  peek: RequestPeek,
  options: SpliceOptions,
  callerSize: number,
  measure: Measure,
): number {
  const { kind, bodyStart, bodyEnd, callerStart, callerEnd } = peek;
  const field = callerField(kind);
  if (field === 0) return copyBytes(out, start, bytes, bodyStart, bodyEnd);
  // A kind has a trace, or a subscription and a time, never all three: that is why three ranges are enough.
  const isPublish = kind === RequestKind.Publish;
  const trace = kind === RequestKind.ToolCall ? options.legacyTraceParent : undefined;
  const bStart = isPublish ? peek.subscriptionStart : trace === undefined ? 0 : peek.traceStart;
  const bEnd = isPublish ? peek.subscriptionEnd : trace === undefined ? 0 : peek.traceEnd;
  const { timestampStart: cStart, timestampEnd: cEnd } = peek;
  let at = copyWithout(out, start, bytes, bodyStart, bodyEnd, callerStart, callerEnd, bStart, bEnd, cStart, cEnd);
  at = writeTextField(out, at, (field << 3) | 2, options.caller, callerSize);
  if (at >= 0 && trace !== undefined) at = writeTextField(out, at, TOOL_CALL_TRACE_TAG, trace, measure(trace));
  if (at >= 0 && isPublish) {
    const id = options.subscriptionId ?? "";
    at = writeTextField(out, at, PUBLISH_SUBSCRIPTION_TAG, id, measure(id));
    if (at >= 0) at = writeTimestampField(out, at, options.receivedAtMs);
  }
  return at;
}
