import { Cursor } from "./cursor.ts";
import { type JsonObject, type JsonValue, setOwn } from "./json.ts";
import { MAX_DEPTH } from "./limits.ts";
import { readLiteral } from "./read-literal.ts";
import { readDouble, readPlain, readSingle, trimSpaces } from "./read-scalar.ts";
import { Unusual, unusual } from "./unusual.ts";

const DASH = 0x2d;
const QUESTION = 0x3f;
const COLON = 0x3a;
const PIPE = 0x7c;
/** Readers look no further for the colon of a key in one line. */
const MAX_SIMPLE_KEY_UNITS = 1000;

/**
 * Reads the dialect that this plugin and its peers write: block maps and lists, one-line scalars, literals, comments on
 * lines of their own.
 * @returns undefined for anything else, which need not be wrong: anchors, tags, flow collections, folded text …
 */
export function parseCommon(text: string): JsonObject | undefined {
  if (!text.endsWith("\n") || /[\u2028\u2029\ufeff]|^(?:---|\.\.\.|%)/m.test(text)) return undefined;
  try {
    const cursor = new Cursor(text);
    if (cursor.done) return {};
    if (cursor.indent !== 0 || cursor.at(DASH)) return undefined;
    const value = readMap(cursor, 0, 1);
    return cursor.done ? value : undefined;
  } catch (error) {
    if (error instanceof Unusual) return undefined;
    throw error;
  }
}

function readMap(cursor: Cursor, indent: number, depth: number): JsonObject {
  if (depth > MAX_DEPTH) unusual();
  const map: JsonObject = {};
  while (cursor.indent === indent) {
    if (cursor.at(DASH)) unusual();
    const explicit = cursor.at(QUESTION);
    const key = explicit ? readExplicitKey(cursor, indent) : readKey(cursor);
    if (Object.hasOwn(map, key)) unusual();
    setOwn(map, key, readValue(cursor, indent, depth, !explicit));
  }
  if (cursor.indent > indent) unusual();
  return map;
}

function readList(cursor: Cursor, indent: number, depth: number): JsonValue[] {
  if (depth > MAX_DEPTH) unusual();
  const list: JsonValue[] = [];
  while (cursor.indent === indent && cursor.at(DASH)) {
    cursor.moveTo(cursor.offset + 1);
    list.push(readValue(cursor, indent, depth, false));
  }
  if (cursor.indent > indent) unusual();
  return list;
}

/** What follows `key:` or `-`, in this line or below; `parent` is the column of the key or of the dash. */
function readValue(cursor: Cursor, parent: number, depth: number, ofKey: boolean): JsonValue {
  if (cursor.offset === cursor.end) {
    cursor.nextLine();
    if (cursor.indent > parent) return readBlock(cursor, depth + 1);
    // A list may stand right under its key without indentation.
    return ofKey && cursor.indent === parent && cursor.at(DASH) ? readList(cursor, parent, depth + 1) : null;
  }
  if (!ofKey && (cursor.at(DASH) || startsMap(cursor))) return readBlock(cursor, depth + 1);
  if (cursor.text.charCodeAt(cursor.offset) === PIPE) return readLiteral(cursor, parent);
  const value = readScalar(cursor);
  cursor.nextLine();
  // A deeper line would continue the scalar.
  if (cursor.indent > parent) unusual();
  return value;
}

function readBlock(cursor: Cursor, depth: number): JsonValue {
  if (cursor.at(DASH)) return readList(cursor, cursor.indent, depth);
  return startsMap(cursor) ? readMap(cursor, cursor.indent, depth) : unusual();
}

function startsMap(cursor: Cursor): boolean {
  return cursor.at(QUESTION) || keyEnd(cursor) >= 0;
}

function readScalar(cursor: Cursor): JsonValue {
  const { text, offset: at, end } = cursor;
  const first = text.charCodeAt(at);
  if (first === 0x22) return readDouble(text, at, end);
  if (first === 0x27) return readSingle(text, at, end);
  const plain = text.slice(at, end);
  return plain === "!!merge <<" ? "<<" : readPlain(plain);
}

/** Offset of the colon that ends the key at the cursor, or -1 where there is no key in this line. */
function keyEnd({ text, offset: at, end }: Cursor): number {
  const quote = text.charCodeAt(at);
  let from = at;
  if (quote === 0x22 || quote === 0x27) {
    from = quote === 0x22 ? closingDouble(text, at, end) : closingSingle(text, at, end);
    return from >= 0 && text.charCodeAt(from + 1) === 0x3a && isBlank(text.charCodeAt(from + 2)) ? from + 1 : -1;
  }
  for (; from < end; from++) {
    if (text.charCodeAt(from) === 0x3a && isBlank(text.charCodeAt(from + 1))) return from;
  }
  return -1;
}

/** Reads `key:` and leaves the cursor behind the colon. */
function readKey(cursor: Cursor): string {
  const colon = keyEnd(cursor);
  if (colon < 0) unusual();
  const key = readKeyText(cursor.text, cursor.offset, colon);
  if (key.length > MAX_SIMPLE_KEY_UNITS) unusual();
  cursor.moveTo(colon + 1);
  return key;
}

/** Reads `? key`, which is how long keys and keys of several lines are written, and the colon of the line after it. */
function readExplicitKey(cursor: Cursor, indent: number): string {
  cursor.moveTo(cursor.offset + 1);
  let key: string;
  if (cursor.text.charCodeAt(cursor.offset) === PIPE) {
    key = readLiteral(cursor, indent);
  } else {
    if (cursor.offset === cursor.end || cursor.at(DASH) || keyEnd(cursor) >= 0) unusual();
    key = readKeyText(cursor.text, cursor.offset, cursor.end);
    cursor.nextLine();
  }
  if (cursor.indent !== indent || !cursor.at(COLON)) unusual();
  cursor.moveTo(cursor.offset + 1);
  return key;
}

function readKeyText(text: string, at: number, end: number): string {
  const quote = text.charCodeAt(at);
  if (quote === 0x22) return readDouble(text, at, end);
  if (quote === 0x27) return readSingle(text, at, end);
  const key = trimSpaces(text.slice(at, end));
  // Only for its checks: keys are text whatever they look like. A bare `<<` merges.
  const looksLike = readPlain(key);
  return key === "<<" || (typeof looksLike === "object" && looksLike !== null) ? unusual() : key;
}

function closingDouble(text: string, at: number, end: number): number {
  for (let index = at + 1; index < end; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x5c) index++;
    else if (code === 0x22) return index;
  }
  return -1;
}

function closingSingle(text: string, at: number, end: number): number {
  for (let index = at + 1; index < end; index++) {
    if (text.charCodeAt(index) !== 0x27) continue;
    if (text.charCodeAt(index + 1) !== 0x27) return index;
    index++;
  }
  return -1;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a;
}
