import { Buffer } from "node:buffer";
import type { Scalar } from "yaml";
import type { JsonValue } from "./json.ts";
import { resolvePlain } from "./resolve.ts";
import { FrontMatterError } from "./yaml-error.ts";

const STANDARD = "tag:yaml.org,2002:";

/** @param text the whole YAML that the scalar is from */
export function scalarValue(scalar: Scalar<string>, text: string): JsonValue {
  const source = scalarText(scalar, text);
  if (scalar.tag === undefined || scalar.tag === "!") {
    return scalar.type === "PLAIN" ? resolvePlain(source).value : source;
  }
  const tag = scalar.tag.startsWith(STANDARD) ? scalar.tag.slice(STANDARD.length) : "";
  if (tag === "binary") return decodeBinary(source);
  if (tag !== "null" && tag !== "bool" && tag !== "int" && tag !== "float" && tag !== "timestamp") return source;
  const resolved = resolvePlain(source);
  if (resolved.tag === tag || (tag === "float" && resolved.tag === "int")) return resolved.value;
  throw new FrontMatterError(`${JSON.stringify(source)} is not a ${tag}`);
}

/** Keys of a Struct are text: numbers, dates and the like count as they are written. */
export function scalarKey(scalar: Scalar<string>): string {
  return scalar.tag === `${STANDARD}binary` ? decodeBinary(scalar.source ?? "") : scalarText(scalar, "");
}

function decodeBinary(source: string): string {
  const base64 = source.replace(/[\r\n]/g, "");
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) {
    throw new FrontMatterError("!!binary value is not base64");
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(base64, "base64"));
  } catch (cause) {
    throw new FrontMatterError("!!binary value is not text", 0, { cause });
  }
}

function scalarText(scalar: Scalar<string>, text: string): string {
  const value = (scalar.source ?? "").toWellFormed();
  return /[\u2028\u2029]/.test(value) ? withoutIndentation(scalar, value, text) : value;
}

/**
 * YAML 1.1 writers break lines at U+2028 and U+2029 and indent what follows; YAML 1.2 readers, such as the library, take
 * that indentation for content. Double-quoted text has the two as escapes, where a space after them is a space.
 */
function withoutIndentation(scalar: Scalar<string>, value: string, text: string): string {
  if (scalar.type === "QUOTE_DOUBLE") return value;
  if (scalar.type !== "BLOCK_LITERAL" && scalar.type !== "BLOCK_FOLDED") {
    return value.replace(/[ \t]*([\u2028\u2029]+)[ \t]*/g, "$1");
  }
  const header = scalar.range?.[0] ?? 0;
  const indent = /^[^\n]*\n(?: *\n)*( *)/.exec(text.slice(header))?.[1]?.length ?? 0;
  return value.replace(new RegExp(`([\\u2028\\u2029]+) {0,${indent}}`, "g"), "$1");
}
