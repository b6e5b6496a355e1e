import { homedir } from "node:os";
import { dirname, resolve as resolvePath } from "node:path";
import { hubFields, type RawHub } from "./config-shape.ts";
import { type ConfigDiagnostic, configError, Diagnostics, type Place } from "./diagnostics.ts";
import { readEnvironment, readFlags } from "./overrides.ts";
import { Reader } from "./read.ts";
import { resolve } from "./resolve.ts";
import type { HubConfig } from "./types.ts";
import { MAX_CONFIG_BYTES, TooManyNodes, YamlSource } from "./yaml-source.ts";

export interface ParseOptions {
  /** Where the text came from. Its directory is where relative paths start; without it that is `cwd`, and `file` is undefined. */
  readonly path?: string | undefined;
  /** `ORCHESTRATOR_*` are read from here. Default: nothing. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Values of command line flags by name without dashes in front: `{ "listen-addr": "localhost:0" }`. */
  readonly flags?: Readonly<Record<string, string | undefined>> | undefined;
  /** Unknown keys are errors (`--strict-config`). */
  readonly strict?: boolean | undefined;
  /** Default: those of the process. */
  readonly cwd?: string | undefined;
  readonly home?: string | undefined;
}

export interface ParsedConfig {
  /** Absent where there was an error. */
  readonly config: HubConfig | undefined;
  readonly diagnostics: readonly ConfigDiagnostic[];
}

/** Reads a configuration from YAML (and so also from JSON). Never throws for anything that the text holds. */
export function parseConfig(text: string, options: ParseOptions = {}): ParsedConfig {
  const diagnostics = new Diagnostics();
  const cwd = options.cwd ?? process.cwd();
  const file = options.path === undefined ? undefined : resolvePath(cwd, options.path);
  const label = options.path ?? "configuration";
  const top: Place = { file: label, line: 1, column: 1 };
  const env = readEnvironment(options.env ?? {}, diagnostics);
  const flags = readFlags(options.flags ?? {}, diagnostics);
  let config: HubConfig | undefined;
  try {
    const { raw, place } = readText(text, label, options.strict ?? false, diagnostics);
    const directory = file === undefined ? cwd : dirname(file);
    config = resolve(raw, { file, directory, cwd, home: options.home ?? homedir(), env, flags, place }, diagnostics);
  } catch (error) {
    // A stack that overflows is the mark of a text that nests without end.
    if (!(error instanceof TooManyNodes || error instanceof RangeError)) throw error;
    diagnostics.error(top, "The file nests too deeply, or stands for too many values", "are its aliases nested?");
  }
  return { config: diagnostics.hasErrors ? undefined : config, diagnostics: diagnostics.list() };
}

/** @throws {HubError} `INVALID_ARGUMENT` with every error of the parse */
export function requireConfig(parsed: ParsedConfig): HubConfig {
  if (parsed.config !== undefined) return parsed.config;
  throw configError(parsed.diagnostics);
}

function readText(text: string, label: string, strict: boolean, diagnostics: Diagnostics) {
  const nothing = { raw: {} as RawHub, place: (): Place => ({ file: label, line: 1, column: 1 }) };
  if (Buffer.byteLength(text) > MAX_CONFIG_BYTES) {
    diagnostics.error(nothing.place(), `The file is longer than ${MAX_CONFIG_BYTES} bytes`);
    return nothing;
  }
  const source = new YamlSource(text, label, diagnostics);
  // What a broken text decodes to is a guess, and complaints about a guess mislead.
  if (source.broken) return nothing;
  const reader = new Reader(source, diagnostics, { strict });
  const raw = reader.record(hubFields, source.root, "");
  const place = (record: object, key?: string): Place => {
    const found = reader.places.get(record);
    const node = key === undefined ? undefined : found?.keys.get(key);
    if (node !== undefined) return source.place(node);
    return { file: label, line: found?.line ?? 1, column: found?.column ?? 1 };
  };
  return { raw, place };
}
