import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { text as readAll } from "node:stream/consumers";
import type { ToolDefinition } from "@orchestrator/protocol";
import { usage } from "../cli.ts";
import type { Io } from "../io.ts";

export type Arguments = Record<string, unknown>;

export interface Pair {
  readonly key: string;
  readonly text: string;
  /** `key:=value`: the value is JSON. */
  readonly isJson: boolean;
}

/** For commander: an option that may stand several times. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** @throws {CliError} usage, for a text without "=" */
export function parsePairs(texts: readonly string[]): readonly Pair[] {
  return texts.map((text) => {
    const match = /^([^=]*?)(:?)=([\s\S]*)$/.exec(text);
    if (match?.[1] === undefined || match[1] === "")
      throw usage(`Cannot read --arg ${JSON.stringify(text)}`, "Write --arg key=value, or --arg key:=JSON");
    return { key: match[1], text: match[3]!, isJson: match[2] === ":" };
  });
}

/** The JSON object in a text. @throws {CliError} usage */
export function parseObject(text: string, where: string): Arguments {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw usage(
      `Cannot read ${where}: ${(error as Error).message}`,
      `Expected a JSON object such as '{"title": "Login"}'`,
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw usage(
      `Cannot use ${where}: it is ${value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`}, not a JSON object`,
    );
  }
  return value as Arguments;
}

/** What `--input` names: a file, or `-` for stdin. @throws {CliError} usage */
export async function readInput(io: Io, source: string): Promise<Arguments> {
  if (source === "-") return parseObject(await readAll(io.stdin), "standard input");
  try {
    return parseObject(readFileSync(resolve(io.cwd, source), "utf8"), `"${source}"`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || (error as Error).name === "CliError") throw error;
    throw usage(`Cannot read "${source}": ${code === "ENOENT" ? "there is no such file" : code}`);
  }
}

interface Property {
  readonly type?: string | readonly string[];
  readonly items?: Property;
}

/**
 * The values of `--arg`, each in the type that the tool's schema gives it; a text where the schema says nothing. An option for
 * a list may stand several times.
 * @throws {CliError} usage, naming argument, value and type
 */
export function typedArguments(
  pairs: readonly Pair[],
  tool: Pick<ToolDefinition, "name" | "inputSchema"> | undefined,
): Arguments {
  const properties = ((tool?.inputSchema as { properties?: Record<string, Property> } | undefined)?.properties ??
    {}) as Record<string, Property>;
  const values: Arguments = {};
  for (const { key, text, isJson } of pairs) {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    const types = [property?.type ?? []].flat();
    if (isJson) values[key] = parseJson(key, text);
    else if (types.includes("array") && !text.trimStart().startsWith("[")) {
      const before = Array.isArray(values[key]) ? values[key] : [];
      values[key] = [...before, typed(key, text, [property?.items?.type ?? "string"].flat())];
    } else if (Object.hasOwn(values, key)) throw usage(`--arg ${key} stands twice, and is no list`);
    else values[key] = typed(key, text, types);
  }
  return values;
}

function typed(key: string, text: string, types: readonly string[]): unknown {
  if (types.length === 0 || types.includes("string")) return text;
  if ((types.includes("number") || types.includes("integer")) && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text))
    return Number(text);
  if (types.includes("boolean") && (text === "true" || text === "false")) return text === "true";
  if (types.includes("null") && text === "null") return null;
  if (types.includes("array") || types.includes("object")) return parseJson(key, text);
  throw usage(`Cannot use ${JSON.stringify(text)} for --arg ${key}: expected ${types.join(" or ")}`);
}

function parseJson(key: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usage(`Cannot use ${JSON.stringify(text)} for --arg ${key}: it is not JSON`);
  }
}
