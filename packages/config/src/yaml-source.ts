import type { Node, Pair, ParsedNode } from "yaml";
import { Alias, type Document, isMap, isScalar, isSeq, LineCounter, parseDocument, Scalar, visit } from "yaml";
import type { Diagnostics, Place } from "./diagnostics.ts";
import { shorten } from "./shape.ts";

/** A configuration is written by people; a megabyte of it is an accident or an attack. */
export const MAX_CONFIG_BYTES = 1024 * 1024;

/**
 * Nodes that one reading may visit, each alias counted with all it stands for. A hundred plugins with every key set are about
 * 10 000; nested aliases ("billion laughs") pass any limit at once.
 */
const MAX_NODES = 200_000;

/** A mapping may merge itself; nobody merges this deep on purpose. */
const MAX_MERGE_DEPTH = 20;

/** One entry of a mapping, its alias resolved. */
export interface Entry {
  readonly key: string;
  readonly keyPlace: Place;
  readonly value: Node | undefined;
}

/** The parsed text of one file, with the places of its nodes. */
export class YamlSource {
  readonly file: string;
  readonly #diagnostics: Diagnostics;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed<ParsedNode>;
  readonly #targets: ReadonlyMap<Alias, Node | undefined>;
  #visited = 0;

  constructor(text: string, file: string, diagnostics: Diagnostics) {
    this.file = file;
    this.#diagnostics = diagnostics;
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      version: "1.2",
      logLevel: "error",
    });
    for (const error of this.#document.errors.slice(0, 10)) {
      diagnostics.error(this.#placeAt(error.pos[0]), error.message);
    }
    this.#targets = aliasTargets(this.#document);
  }

  /** The text is not YAML. */
  get broken(): boolean {
    return this.#document.errors.length > 0;
  }

  /** The top of the document; undefined where it is empty. */
  get root(): Node | undefined {
    return this.#resolve(this.#document.contents);
  }

  place(node: Node | undefined): Place {
    return this.#placeAt(node?.range?.[0] ?? 0);
  }

  /**
   * The entries of a mapping, those of its merge keys (`<<`) after its own. A key that is not a scalar is reported.
   * @returns undefined where the node is not a mapping
   */
  entries(node: Node, depth = 0): Entry[] | undefined {
    if (!isMap(node)) return undefined;
    const found = new Map<string, Entry>();
    const merges: Node[] = [];
    for (const pair of node.items) {
      const { key, value } = pair as Pair<Node | undefined, Node | undefined>;
      const name = this.text(key);
      const resolved = this.#resolve(value);
      if (name === undefined) this.#diagnostics.error(this.place(key), "A key must be a plain text");
      else if (name === "<<" && resolved !== undefined) merges.push(resolved);
      else found.set(name, { key: name, keyPlace: this.place(key), value: resolved });
    }
    for (const entry of merges.flatMap((merge) => this.#merged(merge, depth))) {
      if (!found.has(entry.key)) found.set(entry.key, entry);
    }
    return [...found.values()];
  }

  /** The items of a list, their aliases resolved. @returns undefined where the node is not a list */
  items(node: Node): (Node | undefined)[] | undefined {
    if (!isSeq(node)) return undefined;
    return node.items.map((item) => this.#resolve(item as Node));
  }

  /** The text of a scalar exactly as it is written (`1.0`, `0x1F`), "" for null. @returns undefined for anything else */
  text(node: Node | undefined): string | undefined {
    if (node === undefined) return "";
    if (!isScalar(node)) return undefined;
    if (node.value === null) return "";
    if (node.type === Scalar.PLAIN && node.source !== undefined) return node.source;
    return String(node.value);
  }

  #merged(node: Node, depth: number): Entry[] {
    // Depth alone bounds nothing, as each level may list many mappings; #resolve counts every value on the way.
    const sources = this.items(node) ?? [node];
    return sources.flatMap((source) => {
      const entries = source !== undefined && depth < MAX_MERGE_DEPTH ? this.entries(source, depth + 1) : undefined;
      if (entries !== undefined) return entries;
      this.#diagnostics.error(this.place(node), "A merge key (<<) needs a mapping, or a list of mappings");
      return [];
    });
  }

  #resolve(node: Node | null | undefined): Node | undefined {
    this.#visited += 1;
    if (this.#visited > MAX_NODES) throw new TooManyNodes();
    if (!(node instanceof Alias)) return node ?? undefined;
    const target = this.#targets.get(node);
    if (target === undefined) {
      this.#diagnostics.error(this.place(node), `Alias "*${shorten(node.source)}" names no anchor before it`);
    }
    return target;
  }

  #placeAt(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }
}

/** One pass over the document: asking each alias for itself would walk the document once per alias. */
function aliasTargets(document: Document.Parsed): ReadonlyMap<Alias, Node | undefined> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node | undefined>();
  visit(document, {
    Node: (_key, node) => {
      if (node instanceof Alias) targets.set(node, anchors.get(node.source));
      else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

/** The document stands for more than a reader should visit. */
export class TooManyNodes extends Error {}
