import { ErrorCode, HubError } from "@orchestrator/protocol";

export type JsonObject = { readonly [key: string]: unknown };

/** One decoder for all: it keeps nothing from one text to the next. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of UTF-8 bytes, or undefined where they are none. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * What the body of a frame holds.
 * @throws {HubError} `PROTOCOL`; its message completes the sentence "Plugin X …"
 */
export function parseFrame(frame: Uint8Array): JsonObject {
  const text = textOf(frame);
  if (text === undefined) throw broken(`answered with ${frame.length} bytes that are not UTF-8`);
  const value = parseJson(text);
  if (value === undefined) throw broken(`answered with ${frame.length} bytes that are not JSON`);
  if (!isObject(value)) throw broken("answered with JSON that is no object");
  return value;
}

/** @returns undefined for a text that is not JSON, which no JSON stands for */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A property of the object's own: what every object inherits was not sent by anybody. */
export function own(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** The plugin broke the protocol. `what` completes the sentence "Plugin X …". */
export function broken(what: string): HubError {
  return new HubError(ErrorCode.Protocol, what);
}

/** One frame around a message. @throws {HubError} `FRAME_TOO_LARGE` */
export function frameOf(message: JsonObject): Buffer {
  const text = JSON.stringify(message);
  const length = Buffer.byteLength(text);
  if (length > MAX_BODY_BYTES) {
    throw new HubError(ErrorCode.FrameTooLarge, `The message has ${length} bytes, the limit is ${MAX_BODY_BYTES}`);
  }
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length);
  frame.writeUInt32BE(length, 0);
  frame.write(text, HEADER_BYTES);
  return frame;
}

/** What existing plugins accept; the same is accepted from them. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const HEADER_BYTES = 4;
