import { Buffer } from "node:buffer";
import { quoteDouble, quoteSingle } from "./escape.ts";
import { formatNumber } from "./go-number.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { compareBytewise, compareNatural } from "./key-order.ts";
import { type ScalarStyle, styleOfNestedKey, styleOfTopKey, styleOfValue } from "./scalar-style.ts";

const INDENT = 4;
/** Keys longer than this many bytes take the explicit `? key` form. */
const MAX_SIMPLE_KEY_BYTES = 128;

/** Where a node stands: nodes in a list are indented by the width of "- ", all others to the next multiple of four. */
type Place = "value" | "item";

/**
 * Writes metadata as YAML, byte for byte as existing workspaces have it: outermost keys in byte order, nested keys in
 * natural order, indented by four, never folded.
 * @returns YAML that ends in a line break; "{}\n" for no keys
 */
export function emitYaml(metadata: JsonObject): string {
  const emitter = new Emitter();
  const keys = Object.keys(metadata).sort(compareBytewise);
  if (keys.length === 0) return "{}\n";
  for (const key of keys) emitter.pair(styleOfTopKey(key), key, metadata[key] as JsonValue, 0);
  return emitter.finish();
}

class Emitter {
  #out = "";
  /** Columns written in this line. */
  #column = 0;
  /** This line holds only indentation and the markers of lists and explicit pairs: a nested block may go on in it. */
  #fresh = true;
  /** The next word needs no space before it. */
  #spaced = true;

  finish(): string {
    this.#line(0);
    return this.#out;
  }

  pair(style: ScalarStyle, key: string, value: JsonValue, indent: number): void {
    this.#line(indent);
    if (isSimpleKey(key)) {
      this.#scalar(style, key, indent);
      this.#write(":");
    } else {
      this.#marker("?");
      this.#scalar(style, key, nextIndent(indent, "value"));
      this.#line(indent);
      this.#marker(":");
    }
    this.#node(value, indent, "value");
  }

  #node(value: JsonValue, parent: number, place: Place): void {
    const indent = nextIndent(parent, place);
    if (typeof value === "string") {
      // The hint in a literal's header always says 4, so it is only right where that is the step.
      this.#scalar(styleOfValue(value, indent - parent === INDENT), value, indent);
    } else if (Array.isArray(value)) {
      this.#list(value, indent);
    } else if (typeof value === "object" && value !== null) {
      this.#map(value, indent);
    } else {
      this.#word(typeof value === "number" ? formatNumber(value) : String(value));
    }
  }

  #list(list: readonly JsonValue[], indent: number): void {
    if (list.length === 0) this.#word("[]");
    for (const item of list) {
      this.#line(indent);
      this.#marker("-");
      this.#node(item, indent, "item");
    }
  }

  #map(map: JsonObject, indent: number): void {
    const keys = Object.keys(map);
    if (keys.length === 0) this.#word("{}");
    // Natural order is not transitive for odd mixtures: a fixed order beforehand makes the bytes depend on nothing else.
    if (keys.length > 1) keys.sort(compareBytewise).sort(compareNatural);
    const hintFits = indent % INDENT === 0;
    for (const key of keys) this.pair(styleOfNestedKey(key, hintFits), key, map[key] as JsonValue, indent);
  }

  #scalar(style: ScalarStyle, text: string, indent: number): void {
    if (style === "literal") this.#literal(text, indent);
    else if (style === "plain") this.#word(text);
    else if (style === "single") this.#word(quoteSingle(text));
    else this.#word(style === "merge" ? "!!merge <<" : quoteDouble(text));
  }

  #literal(text: string, indent: number): void {
    const hint = text.startsWith(" ") ? String(INDENT) : "";
    const chomp = !text.endsWith("\n") ? "-" : text.endsWith("\n\n") ? "+" : "";
    this.#word(`|${hint}${chomp}`);
    const lines = text.split("\n");
    const open = lines.at(-1) === "";
    if (open) lines.pop();
    for (const line of lines) this.#out += line === "" ? "\n" : `\n${" ".repeat(indent)}${line}`;
    if (open) this.#out += "\n";
    this.#column = open ? 0 : indent + 1;
    this.#fresh = open;
  }

  /** Starts a line at `indent`, unless this one holds nothing but markers yet and can be continued. */
  #line(indent: number): void {
    if (!this.#fresh || this.#column > indent) {
      this.#out += "\n";
      this.#column = 0;
      this.#fresh = true;
    }
    if (indent > this.#column) this.#out += " ".repeat(indent - this.#column);
    this.#column = indent;
    this.#spaced = true;
  }

  /** `-`, `?` or `:` of a block. */
  #marker(marker: string): void {
    const fresh = this.#fresh;
    this.#word(marker);
    this.#fresh = fresh;
  }

  #word(text: string): void {
    this.#write(this.#spaced ? text : ` ${text}`);
    this.#fresh = false;
  }

  #write(text: string): void {
    this.#out += text;
    this.#column += text.length;
    this.#spaced = false;
  }
}

function nextIndent(parent: number, place: Place): number {
  return place === "item" ? parent + 2 : parent + INDENT - (parent % INDENT);
}

function isSimpleKey(key: string): boolean {
  return !/[\n\r\u0085\u2028\u2029]/.test(key) && Buffer.byteLength(key) <= MAX_SIMPLE_KEY_BYTES;
}
