import { hubFields, type RawHub } from "./config-shape.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { type Fields, isScalar, parseScalar, type ScalarShape } from "./shape.ts";
import { nearest } from "./suggest.ts";

const ENVIRONMENT = "environment";
/** Where a finding about a flag stands, in place of a file. */
export const COMMAND_LINE = "command line";

/** One key that the environment and the command line may set. */
export interface Override {
  /** `tcp.enabled` */
  readonly path: readonly string[];
  /** `ORCHESTRATOR_TCP_ENABLED` */
  readonly variable: string;
  /** `tcp-enabled` */
  readonly flag: string;
  readonly shape: ScalarShape;
}

/** Every single value of the hub; plugins and rules are only in the file. */
export function overrides(fields: Fields = hubFields, prefix: readonly string[] = []): Override[] {
  return Object.entries(fields).flatMap(([key, shape]) => {
    const path = [...prefix, key];
    if (shape.kind === "group") return overrides(shape.fields, path);
    if (!isScalar(shape)) return [];
    const words = path.join("_");
    return [{ path, variable: `ORCHESTRATOR_${words.toUpperCase()}`, flag: words.replaceAll("_", "-"), shape }];
  });
}

/** Values by the dotted path of their key. */
export type Overridden = ReadonlyMap<string, string | number | boolean>;

/** What the environment sets. An empty variable counts as absent. */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  diagnostics: Diagnostics,
): Overridden {
  const known = overrides();
  const place = { file: ENVIRONMENT, line: 0, column: 0 };
  const names = new Set([...known.map((override) => override.variable), "ORCHESTRATOR_CONFIG"]);
  for (const name of Object.keys(env)) {
    // Other parts of the program have variables of their own under this prefix; only a near miss is worth a word.
    const meant = name.startsWith("ORCHESTRATOR_") && !names.has(name) ? nearest(name, names) : undefined;
    if (meant !== undefined) diagnostics.warning(place, `Unknown variable ${name}`, `did you mean ${meant}?`);
  }
  return read(known, (override) => [override.variable, env[override.variable]], place, diagnostics);
}

/** What the command line sets: flag names without dashes in front. An empty value counts as absent. */
export function readFlags(flags: Readonly<Record<string, string | undefined>>, diagnostics: Diagnostics): Overridden {
  const place = { file: COMMAND_LINE, line: 0, column: 0 };
  return read(overrides(), (override) => [`--${override.flag}`, flags[override.flag]], place, diagnostics);
}

/** A value, and the file label of where it was set: undefined for the file itself. */
export interface Layered<T> {
  readonly value: T;
  readonly from: typeof ENVIRONMENT | typeof COMMAND_LINE | undefined;
}

/** The value of a key: flag before environment before file. */
export function layered(flags: Overridden, env: Overridden, raw: RawHub) {
  return <T extends string | number | boolean>(path: string): Layered<T> | undefined => {
    if (flags.has(path)) return { value: flags.get(path) as T, from: COMMAND_LINE };
    if (env.has(path)) return { value: env.get(path) as T, from: ENVIRONMENT };
    let value: unknown = raw;
    for (const key of path.split(".")) value = (value as Record<string, unknown> | undefined)?.[key];
    return value === undefined ? undefined : { value: value as T, from: undefined };
  };
}

function read(
  known: readonly Override[],
  lookup: (override: Override) => readonly [name: string, text: string | undefined],
  place: { file: string; line: number; column: number },
  diagnostics: Diagnostics,
): Overridden {
  const values = new Map<string, string | number | boolean>();
  for (const override of known) {
    const [name, text] = lookup(override);
    if (text === undefined || text === "") continue;
    const parsed = parseScalar(override.shape, text);
    if ("value" in parsed) values.set(override.path.join("."), parsed.value);
    else diagnostics.error(place, `${name} ${parsed.problem}`);
  }
  return values;
}
