import { type AllocateOptions, allocate } from "./allocate.ts";
import { copyBytes, textFieldSize, textSize, writeTextField } from "./write.ts";

const REQUEST_ID_TAG = 10;

/** Where an envelope holds its request id: the whole field, `end` 0 where there is none. Every peek is one. */
export interface RequestIdRange {
  readonly requestIdStart: number;
  readonly requestIdEnd: number;
}

/**
 * The same envelope, request or response, under another request id: for answers whose id is not that of the question.
 * One new buffer, everything else keeps its bytes. "" leaves the field out.
 */
export function replaceRequestId(
  bytes: Uint8Array,
  range: RequestIdRange,
  requestId: string,
  options: AllocateOptions = {},
): Uint8Array {
  const { requestIdStart: start, requestIdEnd: end } = range;
  const idSize = textSize(requestId);
  const out = allocate(bytes.length - (end - start) + textFieldSize(REQUEST_ID_TAG, idSize), options);
  let at = writeTextField(out, 0, REQUEST_ID_TAG, requestId, idSize);
  at = copyBytes(out, at, bytes, 0, start);
  copyBytes(out, at, bytes, end, bytes.length);
  return out;
}
