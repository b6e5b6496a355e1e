import { isDeepStrictEqual } from "node:util";
import { parse } from "smol-toml";
import { ConfigFileError } from "./server-entry.ts";

type Table = Record<string, unknown>;

/**
 * Sets values in the table `path` of a TOML text. The table's other keys, other tables and all comments stay as they are.
 * The text is edited by lines, so the outcome is parsed again and held against what it should say: a layout that this does not
 * understand (inline tables, dotted keys, headers within strings) is refused, never damaged.
 * @throws {ConfigFileError} nothing is returned then
 */
export function editToml(text: string, path: readonly string[], values: Readonly<Record<string, unknown>>): string {
  const before = parseToml(text);
  if (isDeepStrictEqual(pick(tableAt(before, path), values), values)) return text;
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const edited =
    tableAt(before, path) === undefined ? append(text, path, values, eol) : replace(text, path, values, eol);
  const wanted = structuredClone(before);
  setAt(wanted, path, values);
  let after: Table;
  try {
    after = parseToml(edited);
  } catch {
    throw notUnderstood(path);
  }
  if (!isDeepStrictEqual(plain(after), plain(wanted))) throw notUnderstood(path);
  return edited;
}

function notUnderstood(path: readonly string[]): ConfigFileError {
  return new ConfigFileError(
    `the table [${path.join(".")}] is written in a way that cannot be changed safely; change it by hand`,
  );
}

function parseToml(text: string): Table {
  try {
    return parse(text);
  } catch (error) {
    const [message] = (error as Error).message.split("\n");
    throw new ConfigFileError(`it is not valid TOML: ${message?.replace(/^Invalid TOML document: /, "")}`);
  }
}

function append(text: string, path: readonly string[], values: Readonly<Record<string, unknown>>, eol: string): string {
  const kept = text === "" || text.endsWith("\n") ? text : text + eol;
  return `${kept}${kept.trim() === "" ? "" : eol}${header(path)}${eol}${assignments(values, eol)}`;
}

/** Replaces the assignments between the table's header and the next one; an assignment goes on as long as it is not complete. */
function replace(
  text: string,
  path: readonly string[],
  values: Readonly<Record<string, unknown>>,
  eol: string,
): string {
  const lines = text.split(/\r?\n/);
  const start = lines.findIndex((line) => headerPath(line)?.join("\0") === path.join("\0"));
  if (start < 0) throw notUnderstood(path);
  let end = start + 1;
  const kept: string[] = [];
  while (end < lines.length && headerPath(lines[end]!) === undefined) {
    const length = assignmentLength(lines, end);
    const key = /^\s*"?([A-Za-z0-9_-]+)"?\s*=/.exec(lines[end]!)?.[1];
    if (key === undefined || !(key in values)) kept.push(...lines.slice(end, end + length));
    end += length;
  }
  const written = assignments(values, "\n").trimEnd().split("\n");
  return [...lines.slice(0, start + 1), ...written, ...kept, ...lines.slice(end)].join(eol);
}

/** How many lines the assignment at `at` takes: an array or a string may go over several. */
function assignmentLength(lines: readonly string[], at: number): number {
  if (!/^\s*[^#\s]/.test(lines[at]!)) return 1;
  for (let length = 1; at + length <= lines.length; length++) {
    try {
      parse(lines.slice(at, at + length).join("\n"));
      return length;
    } catch {
      // Not complete yet.
    }
  }
  return 1;
}

/** `[a."b".c]` → ["a", "b", "c"]; undefined for any other line. */
function headerPath(line: string): readonly string[] | undefined {
  const inner = /^\s*\[{1,2}([^[\]]+)\]{1,2}\s*(?:#.*)?$/.exec(line)?.[1];
  if (inner === undefined) return undefined;
  const keys = inner.match(/"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+/g) ?? [];
  return keys.map((key) => key.replace(/^["']|["']$/g, ""));
}

function header(path: readonly string[]): string {
  return `[${path.map((key) => (/^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key))).join(".")}]`;
}

/** JSON strings and arrays are TOML too, but for DEL and lone surrogates, which paths do not hold. */
function assignments(values: Readonly<Record<string, unknown>>, eol: string): string {
  return Object.entries(values)
    .map(
      ([key, value]) =>
        `${key} = ${Array.isArray(value) ? `[${value.map((item) => JSON.stringify(item)).join(", ")}]` : JSON.stringify(value)}${eol}`,
    )
    .join("");
}

function tableAt(root: Table, path: readonly string[]): Table | undefined {
  let table: unknown = root;
  for (const key of path) {
    if (table === undefined) return undefined;
    if (!isTable(table)) throw notUnderstood(path);
    table = table[key];
  }
  if (table !== undefined && !isTable(table)) throw notUnderstood(path);
  return table;
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function setAt(root: Table, path: readonly string[], values: Readonly<Record<string, unknown>>): void {
  let table = root;
  for (const key of path) {
    table[key] ??= {};
    table = table[key] as Table;
  }
  Object.assign(table, values);
}

function pick(table: Table | undefined, like: Readonly<Record<string, unknown>>): Table {
  return Object.fromEntries(Object.keys(like).map((key) => [key, table?.[key]]));
}

/** The parser's tables have no prototype, ours have one; only what they hold is compared. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
