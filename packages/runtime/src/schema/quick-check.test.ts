import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject, JsonValue } from "../json.ts";
import { quickCheck } from "./quick-check.ts";

const ajv = new Ajv2020({ strict: false, validateFormats: false, useDefaults: true, logger: false });

const scalar = fc.constantFrom<JsonValue[]>("", "a", "b", 0, 1, -1.5, 1e300, Number.NaN, true, false, null);
const value: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "c", "toString", "__proto__"), tie("value"), { maxKeys: 3 }),
  ),
})).value;
const typeName = fc.constantFrom("string", "number", "integer", "boolean", "null", "array", "object");
const schema: fc.Arbitrary<JsonValue> = fc.letrec<{ schema: JsonValue }>((tie) => ({
  schema: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(true),
    typeName.map((type) => ({ type })),
    fc.record(
      {
        type: fc.oneof(typeName, fc.uniqueArray(typeName, { minLength: 1, maxLength: 3 })),
        description: fc.constant("d"),
        enum: fc.uniqueArray(scalar, { minLength: 1, maxLength: 4 }),
        items: tie("schema"),
        properties: fc.dictionary(fc.constantFrom("a", "b", "c", "toString"), tie("schema"), { maxKeys: 3 }),
        required: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 2 }),
        additionalProperties: fc.boolean(),
        minLength: fc.constant(1),
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<JsonValue>,
  ),
})).schema;

describe("quickCheck", () => {
  it("accepts nothing that the library refuses", () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(schema, value, (given, input) => {
        const check = quickCheck(given as JsonObject);
        if (check === undefined) return;
        const fits = ajv.validate(given as object, structuredClone(input));
        if (check(input as JsonObject)) accepted++;
        else refused++;
        expect(!check(input as JsonObject) || fits).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  });

  const tool = {
    type: "object",
    properties: {
      id: { type: "string", description: "An id" },
      kind: { type: "string", enum: ["a", "b"] },
      count: { type: ["integer", "null"] },
      tags: { type: "array", items: { type: "string" } },
      size: { type: "object", properties: { width: { type: "number" } }, additionalProperties: false },
    },
    required: ["id"],
  };

  it.each<[boolean, JsonObject]>([
    [true, { id: "1" }],
    [true, { id: "1", kind: "b", count: 3, tags: ["x"], size: { width: 1.5 }, more: [1] }],
    [true, { id: "1", count: null, tags: [], size: {} }],
    [false, {}],
    [false, { id: 1 }],
    [false, { id: "1", kind: "c" }],
    [false, { id: "1", count: 1.5 }],
    [false, { id: "1", tags: ["x", 1] }],
    [false, { id: "1", size: { height: 1 } }],
  ])("is %s for %j", (fits, input) => {
    expect(quickCheck(tool)?.(input)).toBe(fits);
  });

  it.each<JsonObject>([
    { type: "object", properties: { a: { type: "string", default: "x" } } },
    { type: "object", properties: { a: { $ref: "#/$defs/a" } }, $defs: { a: {} } },
    { type: "object", properties: { a: { type: "string", minLength: 1 } } },
    { type: "object", properties: { a: false } },
    { type: "object", properties: { constructor: {} } },
    { type: "objekt" },
    { type: [] },
    { required: "a" },
    { enum: [{}] },
    { enum: [] },
    { additionalProperties: { type: "string" } },
    { items: [{ type: "string" }] },
    { anyOf: [{}] },
  ])("leaves %j to the library", (given) => {
    expect(quickCheck(given)).toBeUndefined();
  });
});
