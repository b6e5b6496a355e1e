import jsonc from "jsonc-parser";
import { insertProperty, layoutOf, replaceValue } from "./json-edit.ts";
import { ConfigFileError } from "./server-entry.ts";

/** One value to be set; objects on the way are made where they are missing. */
export interface JsonSetting {
  readonly path: readonly string[];
  readonly value: unknown;
}

const PARSE = { allowTrailingComma: true, disallowComments: false, allowEmptyContent: true };

/**
 * Sets values in a JSON text, which may have comments and trailing commas. Everything else stays as it is, byte for byte.
 * @throws {ConfigFileError} for a text that is not JSON, or that holds something other than an object on the way
 */
export function editJson(text: string, settings: readonly JsonSetting[]): string {
  const bom = text.startsWith("\ufeff") ? "\ufeff" : "";
  let current = text.slice(bom.length);
  check(current, settings);
  const layout = layoutOf(current);
  if (jsonc.parseTree(current, [], PARSE) === undefined) {
    current = `${current.trim() === "" ? "" : `${current.trimEnd()}${layout.eol}`}{}${layout.eol}`;
  }
  for (const { path, value } of settings) {
    const root = jsonc.parseTree(current, [], PARSE)!;
    let depth = path.length;
    let found = jsonc.findNodeAtLocation(root, [...path]);
    for (; found === undefined; found = depth === 0 ? root : jsonc.findNodeAtLocation(root, path.slice(0, depth)))
      depth--;
    if (depth === path.length) {
      // Set already, perhaps in another layout: leave that alone.
      if (JSON.stringify(jsonc.getNodeValue(found)) === JSON.stringify(value)) continue;
      current = replaceValue(current, found, value, layout);
    } else {
      const missing = path.slice(depth + 1).reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
      current = insertProperty(current, found, { key: path[depth]!, value: missing }, layout);
    }
  }
  return bom + current;
}

function check(text: string, settings: readonly JsonSetting[]): void {
  const errors: jsonc.ParseError[] = [];
  const root = jsonc.parseTree(text, errors, PARSE);
  const [first] = errors;
  if (first !== undefined) {
    const line = text.slice(0, first.offset).split("\n").length;
    throw new ConfigFileError(`line ${line}: ${jsonc.printParseErrorCode(first.error)}: it is not valid JSON`);
  }
  if (root === undefined) return;
  if (root.type !== "object") throw new ConfigFileError(`it holds ${article(root.type)}, not an object`);
  for (const { path } of settings) {
    for (let depth = 1; depth < path.length; depth++) {
      const node = jsonc.findNodeAtLocation(root, path.slice(0, depth));
      if (node !== undefined && node.type !== "object") {
        throw new ConfigFileError(`"${path.slice(0, depth).join(".")}" is ${article(node.type)}, not an object`);
      }
      // Programs read the last of two equal keys, editors of the text would change the first.
      const keys = (depth === 1 ? root : jsonc.findNodeAtLocation(root, path.slice(0, depth - 1)))?.children ?? [];
      if (keys.filter((property) => property.children?.[0]?.value === path[depth - 1]).length > 1) {
        throw new ConfigFileError(`"${path.slice(0, depth).join(".")}" stands in it twice`);
      }
    }
  }
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : type === "null" ? "null" : `a ${type}`;
}
