import { Composer, isAlias, isMap, isScalar, isSeq, type Node, Parser, type Scalar, type YAMLMap } from "yaml";
import { type JsonObject, type JsonValue, setOwn } from "./json.ts";
import { MAX_DEPTH, MAX_TEXT_UNITS, MAX_VALUES } from "./limits.ts";
import { type Links, linkAliases } from "./link-aliases.ts";
import { scalarKey, scalarValue } from "./tagged-scalar.ts";
import { FrontMatterError } from "./yaml-error.ts";

/**
 * Reads any YAML, with scalars resolved as existing workspaces expect it and not by a schema of the library: what would
 * be a date stays text, keys of every type become text.
 * @param text with line feeds only
 * @throws {FrontMatterError}
 */
export function parseFull(text: string): JsonObject {
  const root = firstDocument(text);
  if (root === null || root === undefined) return {};
  const converter = new Converter(text, linkAliases(root));
  const value = converter.value(root, 0);
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw new FrontMatterError("front matter is not a map");
  return value;
}

/** @throws {FrontMatterError} also for a second document, which existing readers drop without a word */
function firstDocument(text: string): Node | null | undefined {
  const composer = new Composer({
    schema: "failsafe",
    resolveKnownTags: false,
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  let first: Node | null | undefined;
  for (const { contents, errors } of composer.compose(new Parser().parse(text), false, text.length)) {
    // Tags are looked at in the conversion; the schema here knows none.
    const error = errors.find(({ code }) => code !== "TAG_RESOLVE_FAILED");
    if (error !== undefined) throw new FrontMatterError(error.message, lineOf(text, error.pos[0]), { cause: error });
    if (contents === null) continue;
    if (first !== undefined) {
      throw new FrontMatterError("front matter holds a second document", lineOf(text, contents.range[0]));
    }
    first = contents;
  }
  return first;
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

class Converter {
  readonly #text: string;
  readonly #links: Links;
  /** Nodes that are being converted: an alias to one of them would never end. */
  readonly #open = new Set<Node>();
  #values = 0;
  #units = 0;

  constructor(text: string, links: Links) {
    this.#text = text;
    this.#links = links;
  }

  value(node: unknown, depth: number): JsonValue {
    if (++this.#values > MAX_VALUES) throw new FrontMatterError("front matter grows too large through its aliases");
    if (node === null || node === undefined) return null;
    if (isScalar(node)) return this.#counted(scalarValue(node as Scalar<string>, this.#text));
    if (isAlias(node)) return this.value(this.#links.get(node), depth);
    if (!isMap(node) && !isSeq(node)) throw new FrontMatterError("front matter has a node of an unknown kind");
    if (depth >= MAX_DEPTH) throw new FrontMatterError(`front matter is nested deeper than ${MAX_DEPTH} levels`);
    if (this.#open.has(node)) throw new FrontMatterError("an anchor contains itself");
    this.#open.add(node);
    const value = isMap(node) ? this.#map(node, depth) : node.items.map((item) => this.value(item, depth + 1));
    this.#open.delete(node);
    return value;
  }

  #map(node: YAMLMap, depth: number): JsonObject {
    const map: JsonObject = {};
    let merge: unknown;
    for (const pair of node.items) {
      const key = isAlias(pair.key) ? this.#links.get(pair.key) : pair.key;
      if (isMergeKey(key)) {
        if (merge !== undefined) throw new FrontMatterError('duplicate key "<<"');
        merge = pair.value;
        continue;
      }
      if (key !== null && !isScalar(key)) throw new FrontMatterError("a key is a list or a map");
      const name = key === null ? "" : (this.#counted(scalarKey(key as Scalar<string>)) as string);
      if (Object.hasOwn(map, name)) throw new FrontMatterError(`duplicate key ${JSON.stringify(name)}`);
      setOwn(map, name, this.value(pair.value, depth + 1));
    }
    if (merge !== undefined) this.#merge(map, merge, depth);
    return map;
  }

  /** Adds the pairs of one map or several, earlier ones first; keys that are there stay. */
  #merge(map: JsonObject, source: unknown, depth: number): void {
    const sources = isSeq(source) ? source.items : [source];
    for (const item of sources) {
      const target = isAlias(item) ? this.#links.get(item) : item;
      if (!isMap(target)) throw new FrontMatterError("`<<` needs a map or a list of maps");
      const merged = this.value(target, depth + 1) as JsonObject;
      for (const [key, value] of Object.entries(merged)) if (!Object.hasOwn(map, key)) setOwn(map, key, value);
    }
  }

  #counted(value: JsonValue): JsonValue {
    if (typeof value !== "string") return value;
    this.#units += value.length;
    if (this.#units > MAX_TEXT_UNITS) throw new FrontMatterError("front matter grows too large through its aliases");
    return value;
  }
}

function isMergeKey(key: unknown): boolean {
  if (!isScalar(key) || key.source !== "<<") return false;
  if (key.tag === "tag:yaml.org,2002:merge") return true;
  return key.type === "PLAIN" && (key.tag === undefined || key.tag === "!");
}
