import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeDocument, encodeDocument } from "./document.ts";
import { emitYaml } from "./emit.ts";
import { type JsonObject, type JsonValue, setOwn } from "./json.ts";
import { parseYaml } from "./parse.ts";
import { parseCommon } from "./parse-common.ts";
import { parseFull } from "./parse-full.ts";
import { FrontMatterError } from "./yaml-error.ts";

const RUNS = process.env["ORCHESTRATOR_SOAK"] === "full" ? 20_000 : 300;

/** Bits of text that mean something to YAML, besides any text at all. */
const TRICKY = ["\n", "\n\n", " ", "\t", ": ", ":", "- ", "#", " #", "? ", "[", "{", "}", ",", "&", "*", "!", "|", ">"]
  .concat(["'", '"', "%", "@", "`", "---", "...", "<<", "\\", "\r", "\u0085", "\u2028", "\ufeff", "\0", "😀", "null"])
  .concat(["2020-01-01", "true", "1", "_", "e3", ".5", "0x", "word", "~", "=", "\u00a0", "\uffff"]);
const text = fc.oneof(
  fc.array(fc.constantFrom(...TRICKY), { maxLength: 6 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ unit: "grapheme-ascii", maxLength: 200 }),
);
const number = fc.oneof(fc.double(), fc.integer(), fc.double({ min: -1e7, max: 1e7 }));
const { map } = fc.letrec<{ value: JsonValue; map: JsonObject }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    tie("map"),
  ) as fc.Arbitrary<JsonValue>,
  map: fc.array(fc.tuple(text, tie("value")), { maxLength: 5 }).map((pairs) => {
    const object: JsonObject = {};
    for (const [key, value] of pairs) setOwn(object, key, value as JsonValue);
    return object;
  }),
}));

describe("front matter", { timeout: 600_000 }, () => {
  it("reads back whatever can be written, by both readers", () => {
    fc.assert(
      fc.property(map, (metadata) => {
        const yaml = emitYaml(metadata);
        const expected = withoutNegativeZero(metadata);
        if (Object.keys(metadata).length > 0) expect(parseCommon(yaml)).toEqual(expected);
        expect(parseFull(yaml)).toEqual(expected);
      }),
      { numRuns: RUNS },
    );
  });

  it("keeps metadata and content apart, whatever is in them", () => {
    fc.assert(
      fc.property(map, fc.oneof(fc.uint8Array(), text.map(encode)), (metadata, content) => {
        fc.pre(Object.keys(metadata).length > 0);
        const read = decodeDocument(encodeDocument({ metadata, content }));
        expect(read.metadata).toEqual(withoutNegativeZero(metadata));
        expect(Array.from(read.content)).toEqual(Array.from(content));
      }),
      { numRuns: RUNS },
    );
  });

  it("reads any bytes, or says why not", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }).map((body) => [encode("---\n"), body, encode("\n---\n")]),
      fc.array(text, { maxLength: 40 }).map((parts) => [encode(`---\n${parts.join("")}\n---\nbody`)]),
      map.chain((metadata) => mutated(emitYaml(metadata)).map((yaml) => [encode(`---\n${yaml}\n---\n`)])),
    );
    fc.assert(
      fc.property(bytes, (parts) => {
        const result = attempt(() => decodeDocument(Buffer.concat(parts)));
        expect(result === undefined || result instanceof FrontMatterError).toBe(true);
      }),
      { numRuns: 2 * RUNS },
    );
  });

  it("reads the common dialect as the library does, also where it is broken", () => {
    fc.assert(
      fc.property(
        map.chain((metadata) => mutated(emitYaml(metadata))),
        (yaml) => {
          const common = parseCommon(`${yaml}\n`);
          if (common !== undefined) expect(parseYaml(`${yaml}\n`)).toEqual(parseFull(`${yaml}\n`));
        },
      ),
      { numRuns: 2 * RUNS },
    );
  });
});

/** Up to three cuts and insertions. */
function mutated(yaml: string): fc.Arbitrary<string> {
  const change = fc.tuple(fc.nat(yaml.length), fc.nat(3), fc.constantFrom("", ...TRICKY));
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    let changed = yaml;
    for (const [at, cut, insert] of changes) changed = changed.slice(0, at) + insert + changed.slice(at + cut);
    // As from a file: half of a character cannot be there, and neither can these as line breaks.
    return changed.toWellFormed().replace(/[\r\u0085]/g, "");
  });
}

/** "-0" reads as an integer, and integers have one zero. */
function withoutNegativeZero(value: JsonValue): JsonValue {
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(withoutNegativeZero);
  if (typeof value !== "object" || value === null) return value;
  const copy: JsonObject = {};
  for (const [key, item] of Object.entries(value)) setOwn(copy, key, withoutNegativeZero(item));
  return copy;
}

function encode(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function attempt(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}
