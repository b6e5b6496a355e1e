import { Buffer } from "node:buffer";
import { emitYaml } from "./emit.ts";
import type { JsonObject } from "./json.ts";
import { MAX_FRONT_MATTER_BYTES, MAX_WRITTEN_DEPTH } from "./limits.ts";
import { parseYaml } from "./parse.ts";
import { FrontMatterError } from "./yaml-error.ts";

/** A file taken apart. */
export interface MarkdownDocument {
  /** The front matter; absent where the file has no fence, empty where the fence has nothing in it. */
  readonly metadata: JsonObject | undefined;
  /** Everything after it, byte for byte. */
  readonly content: Uint8Array;
}

const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const DASH = 0x2d;
const FENCE = "---\n";

/** Keeps nothing from one use to the next. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Takes a file apart: a first line of exactly `---`, YAML, a line of exactly `---`, at most one empty line, the body.
 * Lines may end in CR LF, and a byte order mark may stand before the fence. Without a fence the whole file is body.
 * @param bytes only read; `content` is a view of them
 * @throws {FrontMatterError} where the fence is not closed or what is in it cannot be read
 */
export function decodeDocument(bytes: Uint8Array): MarkdownDocument {
  const start = afterFence(bytes, hasByteOrderMark(bytes) ? 3 : 0);
  if (start < 0) return { metadata: undefined, content: bytes };
  const close = findFence(bytes, start);
  if (close < 0) throw new FrontMatterError("front matter has no closing `---` line");
  if (close - start > MAX_FRONT_MATTER_BYTES) {
    throw new FrontMatterError(`front matter is ${close - start} bytes, ${MAX_FRONT_MATTER_BYTES} at most`);
  }
  const metadata = parseYaml(decodeText(bytes.subarray(start, close)));
  const body = afterFence(bytes, close);
  return { metadata, content: bytes.subarray(body + lineBreakAt(bytes, body)) };
}

/**
 * Puts a file together. No metadata, or empty metadata, means no fence.
 * @throws {FrontMatterError} where the result could not be read back: too deep or too long
 */
export function encodeDocument({ metadata, content }: MarkdownDocument): Uint8Array {
  if (metadata === undefined || Object.keys(metadata).length === 0) {
    // Content that starts with a fence but would not be readable behind one gets an empty front matter of its own.
    return isReadable(content) ? content : joined(`${FENCE}${FENCE}\n`, content);
  }
  if (isDeeper(metadata, MAX_WRITTEN_DEPTH)) {
    throw new FrontMatterError(`metadata is nested deeper than ${MAX_WRITTEN_DEPTH} levels`);
  }
  const yaml = emitYaml(metadata);
  const bytes = Buffer.byteLength(yaml);
  if (bytes > MAX_FRONT_MATTER_BYTES) {
    throw new FrontMatterError(`metadata is ${bytes} bytes as front matter, ${MAX_FRONT_MATTER_BYTES} at most`);
  }
  return joined(`${FENCE}${yaml}${FENCE}\n`, content);
}

function isReadable(content: Uint8Array): boolean {
  if (afterFence(content, hasByteOrderMark(content) ? 3 : 0) < 0) return true;
  try {
    decodeDocument(content);
    return true;
  } catch {
    return false;
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => isDeeper(item, levels - 1));
}

function joined(head: string, content: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(head), content]);
}

/** @returns offset of the line after the fence line at `at`, or -1 where that line is no fence */
function afterFence(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== DASH || bytes[at + 1] !== DASH || bytes[at + 2] !== DASH) return -1;
  if (at + 3 === bytes.length) return bytes.length;
  const length = lineBreakAt(bytes, at + 3);
  return length === 0 ? -1 : at + 3 + length;
}

/** @returns offset of the closing fence at or after the start of a line at `from`, or -1 */
function findFence(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; ) {
    if (afterFence(bytes, at) >= 0) return at;
    const end = bytes.indexOf(LINE_FEED, at);
    if (end < 0) return -1;
    at = end + 1;
  }
  return -1;
}

/** @returns bytes of the line break at `at`: 0, 1 or 2 */
function lineBreakAt(bytes: Uint8Array, at: number): 0 | 1 | 2 {
  if (bytes[at] === LINE_FEED) return 1;
  return bytes[at] === RETURN && bytes[at + 1] === LINE_FEED ? 2 : 0;
}

function hasByteOrderMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new FrontMatterError("front matter is not UTF-8", 0, { cause });
  }
}
