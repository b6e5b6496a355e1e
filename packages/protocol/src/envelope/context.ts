import { varintSize } from "./wire.ts";
import { textFieldSize, writeTextField, writeVarint } from "./write.ts";

/** What the hub says about a call that it forwards; the caller is added from the splice's own option. */
export interface ContextFields {
  /** What is left for the call, a whole number of milliseconds from 0 to 2^32 - 1; the hub always sends more than 0. */
  readonly timeoutMs: number;
  readonly traceParent?: string | undefined;
  readonly acceptsCalls?: boolean | undefined;
  readonly wantsProgress?: boolean | undefined;
}

const CONTEXT_TAG = 1602;
const TIMEOUT_TAG = 8;
const TRACE_PARENT_TAG = 18;
const CALLER_TAG = 26;
const ACCEPTS_CALLS_TAG = 32;
const WANTS_PROGRESS_TAG = 40;

/** Bytes of the context without tag and length; the texts come by their size in UTF-8. */
export function contextSize(context: ContextFields, callerSize: number, traceSize: number): number {
  const timeoutMs = context.timeoutMs >>> 0;
  let size = timeoutMs === 0 ? 0 : 1 + varintSize(timeoutMs);
  size += textFieldSize(TRACE_PARENT_TAG, traceSize) + textFieldSize(CALLER_TAG, callerSize);
  if (context.acceptsCalls === true) size += 2;
  if (context.wantsProgress === true) size += 2;
  return size;
}

/** Bytes of the whole context field. */
export function contextFieldSize(size: number): number {
  return varintSize(CONTEXT_TAG) + varintSize(size) + size;
}

/**
 * Writes the whole context field, `size` being {@link contextSize}; @returns the position after it, or -1 as
 * `writeTextField` does.
 */
export function writeContextField(
  into: Uint8Array,
  start: number,
  context: ContextFields,
  size: number,
  caller: string,
  callerSize: number,
  traceSize: number,
): number {
  let at = writeVarint(into, writeVarint(into, start, CONTEXT_TAG), size);
  const timeoutMs = context.timeoutMs >>> 0;
  if (timeoutMs !== 0) at = writeVarint(into, writeVarint(into, at, TIMEOUT_TAG), timeoutMs);
  at = writeTextField(into, at, TRACE_PARENT_TAG, context.traceParent ?? "", traceSize);
  if (at >= 0) at = writeTextField(into, at, CALLER_TAG, caller, callerSize);
  if (at < 0) return at;
  if (context.acceptsCalls === true) at = writeVarint(into, writeVarint(into, at, ACCEPTS_CALLS_TAG), 1);
  if (context.wantsProgress === true) at = writeVarint(into, writeVarint(into, at, WANTS_PROGRESS_TAG), 1);
  return at;
}
