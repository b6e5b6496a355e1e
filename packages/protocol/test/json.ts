import fc from "fast-check";
import type { JsonObject, JsonValue } from "../src/index.ts";

/** Keys that something about objects, maps or texts makes special. */
const SPECIAL_KEYS = [
  "",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "toJSON",
  "length",
  "0",
  "10",
  "9",
  "-1",
  "4294967295",
  "\u0000",
  "\ufeff",
  "é",
  "日本語の鍵",
  "🔑",
  "k".repeat(32),
  "k".repeat(33),
  "k".repeat(127),
  "k".repeat(128),
  "ключ".repeat(40),
];

const SPECIAL_NUMBERS = [
  0,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  2 ** 64,
];

/** Texts around the sizes at which a length takes another byte, or another way of writing is taken. */
const sizedText = fc
  .tuple(
    fc.constantFrom("x", "é", "€", "😀", "\u0000"),
    fc.constantFrom(7, 8, 9, 12, 13, 24, 25, 48, 49, 126, 127, 128),
  )
  .map(([unit, size]) => unit.repeat(size));

/** Any JSON. @param texts what its texts and keys are like beside the special ones */
export function jsonObject(texts: fc.Arbitrary<string>): fc.Arbitrary<JsonObject> {
  const key = fc.oneof({ weight: 3, arbitrary: texts }, fc.constantFrom(...SPECIAL_KEYS));
  return fc.letrec<{ value: JsonValue; object: JsonObject }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, depthSize: "small" },
      fc.constant(null),
      fc.boolean(),
      fc.double(),
      fc.constantFrom(...SPECIAL_NUMBERS),
      texts,
      sizedText,
      { weight: 3, arbitrary: fc.array(tie("value"), { maxLength: 5 }) },
      { weight: 4, arbitrary: tie("object") },
    ),
    // fromEntries defines keys instead of assigning them, so that a key "__proto__" stays a key.
    object: fc.array(fc.tuple(key, tie("value")), { maxLength: 6 }).map((entries) => Object.fromEntries(entries)),
  })).object;
}

/** Any Unicode. */
export const wellFormedText = fc.string({ unit: "binary", maxLength: 40 });

/** Any Unicode, and halves of surrogate pairs. */
export const anyText = fc.oneof(
  wellFormedText,
  fc.string({ unit: fc.constantFrom("a", "\ud83d", "\ude00", "é"), maxLength: 80 }),
);
