/**
 * A small language for what a configuration may hold. One definition written in it (`config-shape.ts`) drives the reader, the
 * table in the docs, the JSON Schema for editors, and the names of environment variables and flags.
 */

interface Described {
  readonly description: string;
  /** For the docs and the JSON Schema; the resolver owns the value. */
  readonly defaultText?: string;
}

/** Any scalar, taken as it is written: `1.0` stays "1.0". */
export interface TextShape extends Described {
  readonly kind: "text";
  /** Regular expression for the whole text, and what to call it in a message. */
  readonly pattern?: { readonly source: string; readonly name: string };
}
/** A path: `~` is expanded, a relative one starts at the file's directory (in a flag or variable: at the working directory). */
export interface PathShape extends Described {
  readonly kind: "path";
}
export interface FlagShape extends Described {
  readonly kind: "flag";
}
/** A whole number. */
export interface CountShape extends Described {
  readonly kind: "count";
  readonly minimum: number;
  readonly maximum: number;
}
export interface ChoiceShape<V extends string = string> extends Described {
  readonly kind: "choice";
  readonly values: readonly V[];
}
/** A list of texts. */
export interface TextsShape extends Described {
  readonly kind: "texts";
  readonly pattern?: { readonly source: string; readonly name: string };
}
/** Text → text. */
export interface TextMapShape extends Described {
  readonly kind: "textMap";
}
export interface GroupShape<F extends Fields = Fields> extends Described {
  readonly kind: "group";
  readonly fields: F;
}
/** A list of groups. */
export interface GroupsShape<F extends Fields = Fields> extends Described {
  readonly kind: "groups";
  readonly fields: F;
}

export type ScalarShape = TextShape | PathShape | FlagShape | CountShape | ChoiceShape;
export type Shape = ScalarShape | TextsShape | TextMapShape | GroupShape | GroupsShape;
export type Fields = { readonly [key: string]: Shape };

/** What the reader returns for a shape. Everything may be absent: defaults come later, in the resolver. */
export type ValueOf<S> = S extends { kind: "flag" }
  ? boolean
  : S extends { kind: "count" }
    ? number
    : S extends { kind: "choice"; values: readonly (infer V)[] }
      ? V
      : S extends { kind: "texts" }
        ? readonly string[]
        : S extends { kind: "textMap" }
          ? Readonly<Record<string, string>>
          : S extends { kind: "group"; fields: infer F }
            ? RecordOf<F>
            : S extends { kind: "groups"; fields: infer F }
              ? readonly RecordOf<F>[]
              : string;

export type RecordOf<F> = { readonly [K in keyof F]?: ValueOf<F[K]> | undefined };

export function isScalar(shape: Shape): shape is ScalarShape {
  return ["text", "path", "flag", "count", "choice"].includes(shape.kind);
}

/** YAML 1.1 spellings too: files written for older readers say `yes` and `on`. */
const TRUE = new Set(["true", "yes", "on", "y"]);
const FALSE = new Set(["false", "no", "off", "n"]);

/**
 * Reads a scalar from its text. Paths come back as they are written.
 * @returns the value, or `{ problem }` that completes the sentence "<key> …"
 */
export function parseScalar(
  shape: ScalarShape,
  text: string,
): { value: string | number | boolean } | { problem: string } {
  switch (shape.kind) {
    case "path":
      if (text === "") return { problem: "must not be empty" };
      return text.includes("\0") ? { problem: "must not hold a NUL character" } : { value: text };
    case "text":
      return textProblem(shape, text) ?? { value: text };
    case "flag": {
      const word = text.toLowerCase();
      if (TRUE.has(word)) return { value: true };
      if (FALSE.has(word)) return { value: false };
      return { problem: `must be true or false, not "${shorten(text)}"` };
    }
    case "count": {
      const value = /^[0-9][0-9_]{0,15}$/.test(text) ? Number(text.replaceAll("_", "")) : Number.NaN;
      if (value >= shape.minimum && value <= shape.maximum) return { value };
      return { problem: `must be a whole number from ${shape.minimum} to ${shape.maximum}, not "${shorten(text)}"` };
    }
    case "choice":
      if (shape.values.includes(text)) return { value: text };
      return { problem: `must be one of ${shape.values.join(", ")}, not "${shorten(text)}"` };
  }
}

/** Checks a text against the pattern of its shape. */
export function textProblem(shape: TextShape | TextsShape, text: string): { problem: string } | undefined {
  if (text.includes("\0")) return { problem: "must not hold a NUL character" };
  if (shape.pattern === undefined || new RegExp(`^(?:${shape.pattern.source})$`, "u").test(text)) return undefined;
  return { problem: `must be ${shape.pattern.name}, not "${shorten(text)}"` };
}

/** Keeps messages to one line. */
export function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}
