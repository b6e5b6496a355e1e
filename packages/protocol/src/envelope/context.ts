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

/** Bytes of the whole context field, tag included. */
export function contextSize(context: ContextFields, caller: string): number {
  const payload = payloadSize(context, caller);
  return varintSize(CONTEXT_TAG) + varintSize(payload) + payload;
}

/** Writes the whole context field; @returns the position after it. */
export function writeContext(into: Uint8Array, start: number, context: ContextFields, caller: string): number {
  let at = writeVarint(into, writeVarint(into, start, CONTEXT_TAG), payloadSize(context, caller));
  const timeoutMs = context.timeoutMs >>> 0;
  if (timeoutMs !== 0) at = writeVarint(into, writeVarint(into, at, TIMEOUT_TAG), timeoutMs);
  at = writeTextField(into, at, TRACE_PARENT_TAG, context.traceParent ?? "");
  at = writeTextField(into, at, CALLER_TAG, caller);
  if (context.acceptsCalls === true) at = writeVarint(into, writeVarint(into, at, ACCEPTS_CALLS_TAG), 1);
  if (context.wantsProgress === true) at = writeVarint(into, writeVarint(into, at, WANTS_PROGRESS_TAG), 1);
  return at;
}

function payloadSize(context: ContextFields, caller: string): number {
  const timeoutMs = context.timeoutMs >>> 0;
  let size = timeoutMs === 0 ? 0 : 1 + varintSize(timeoutMs);
  size += textFieldSize(TRACE_PARENT_TAG, context.traceParent ?? "");
  size += textFieldSize(CALLER_TAG, caller);
  if (context.acceptsCalls === true) size += 2;
  if (context.wantsProgress === true) size += 2;
  return size;
}
