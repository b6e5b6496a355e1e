import { isMap, type Node } from "yaml";
import type { Diagnostics } from "./diagnostics.ts";
import {
  type Fields,
  type GroupShape,
  type GroupsShape,
  isScalar,
  parseScalar,
  type RecordOf,
  type Shape,
  shorten,
  type TextsShape,
  textProblem,
} from "./shape.ts";
import { didYouMean } from "./suggest.ts";
import type { YamlSource } from "./yaml-source.ts";

/** How the reader treats what it does not know. */
export interface ReadOptions {
  /** Unknown keys are errors. */
  readonly strict: boolean;
}

/** Reads nodes by their shapes. A wrong value is reported and left out, so that one mistake does not hide the next. */
export class Reader {
  /** Where each record that was read stands in the file, for messages that come later. */
  readonly places = new Map<object, { line: number; column: number; keys: ReadonlyMap<string, Node | undefined> }>();
  readonly #source: YamlSource;
  readonly #diagnostics: Diagnostics;
  readonly #options: ReadOptions;

  constructor(source: YamlSource, diagnostics: Diagnostics, options: ReadOptions) {
    this.#source = source;
    this.#diagnostics = diagnostics;
    this.#options = options;
  }

  /** @param name how messages call this mapping, for example `plugins[2]`; "" is the file itself */
  record<F extends Fields>(fields: F, node: Node | undefined, name: string): RecordOf<F> {
    const result: Record<string, unknown> = {};
    const entries = node === undefined ? [] : this.#source.entries(node);
    if (entries === undefined) {
      this.#error(node, `${name === "" ? "The file" : `"${name}"`} must hold keys and values`);
      return result as RecordOf<F>;
    }
    for (const { key, keyPlace, value } of entries) {
      const shape = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (shape !== undefined) {
        const read = this.#value(shape, value, name === "" ? key : `${name}.${key}`);
        if (read !== undefined) result[key] = read;
      } else if (!key.startsWith("x-")) {
        const report = this.#options.strict ? "error" : "warning";
        this.#diagnostics[report](
          keyPlace,
          `Unknown key "${key.slice(0, 60)}"${name === "" ? "" : ` in "${name}"`}`,
          didYouMean(key, Object.keys(fields)),
        );
      }
    }
    const { line, column } = this.#source.place(node);
    this.places.set(result, { line, column, keys: new Map(entries.map((entry) => [entry.key, entry.value])) });
    return result as RecordOf<F>;
  }

  #value(shape: Shape, node: Node | undefined, name: string): unknown {
    // `key:` with nothing behind it is the same as no key.
    if (this.#source.text(node) === "" && !isQuoted(node)) return undefined;
    if (shape.kind === "texts") return this.#texts(shape, node, name);
    if (shape.kind === "textMap") return this.#textMap(node, name);
    if (shape.kind === "group") return this.record((shape as GroupShape).fields, node, name);
    if (shape.kind === "groups") return this.#groups(shape, node, name);
    if (!isScalar(shape)) return undefined;
    const text = this.#source.text(node);
    if (text === undefined) return this.#error(node, `"${name}" must be a single value`);
    const parsed = parseScalar(shape, text);
    return "value" in parsed ? parsed.value : this.#error(node, `"${name}" ${parsed.problem}`);
  }

  #texts(shape: TextsShape, node: Node | undefined, name: string): readonly string[] | undefined {
    const items = node === undefined ? [] : this.#source.items(node);
    if (items === undefined)
      return this.#error(node, `"${name}" must be a list`, `write [${shorten(this.#source.text(node) ?? "...")}]`);
    return items.flatMap((item, index) => {
      const text = this.#source.text(item);
      const problem = text === undefined ? "must be a single value" : textProblem(shape, text)?.problem;
      if (problem === undefined) return [text as string];
      this.#error(item ?? node, `"${name}[${index}]" ${problem}`);
      return [];
    });
  }

  #textMap(node: Node | undefined, name: string): Readonly<Record<string, string>> | undefined {
    const entries = node === undefined ? [] : this.#source.entries(node);
    if (entries === undefined) return this.#error(node, `"${name}" must hold keys and values`);
    const texts = entries.flatMap(({ key, value }): [string, string][] => {
      const text = this.#source.text(value);
      if (text !== undefined) return [[key, text]];
      this.#error(value, `"${name}.${key.slice(0, 60)}" must be a single value`);
      return [];
    });
    // fromEntries defines properties, so a key called __proto__ is one like any other.
    return Object.fromEntries(texts);
  }

  #groups(shape: GroupsShape, node: Node | undefined, name: string): unknown[] | undefined {
    const items = node === undefined ? [] : this.#source.items(node);
    if (items === undefined) return this.#error(node, `"${name}" must be a list`);
    return items.flatMap((item, index) => {
      const at = `${name}[${index}]`;
      if (isMap(item)) return [this.record(shape.fields, item, at)];
      this.#error(item ?? node, `"${at}" must hold keys and values`);
      return [];
    });
  }

  #error(node: Node | undefined, message: string, hint = ""): undefined {
    this.#diagnostics.error(this.#source.place(node), message, hint);
  }
}

function isQuoted(node: Node | undefined): boolean {
  return (node as { type?: string } | undefined)?.type?.startsWith("QUOTE") ?? false;
}
