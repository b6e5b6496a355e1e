import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hubFields } from "./config-shape.ts";
import { configJsonSchema, parseConfig } from "./index.ts";
import type { Fields, Shape } from "./shape.ts";

const validate = new Ajv({ allowUnionTypes: true }).compile(configJsonSchema());
const accepts = (value: unknown) =>
  parseConfig(JSON.stringify(value), { path: "/c/p.yaml", cwd: "/", home: "/h", strict: true });

describe("configJsonSchema", () => {
  it("is the committed file", () => {
    const file = join(import.meta.dirname, "..", "schema", "plugins.schema.json");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(configJsonSchema());
  });

  it.each([
    [{ bianry: 1 }],
    [{ listen_addr: "nowhere" }],
    [{ plugins: [{ binary: "a" }] }],
    [{ plugins: [{ id: "../a", binary: "a" }] }],
    [{ plugins: [{ id: "a", binary: "a", restart: "sometimes" }] }],
    [{ plugins: [{ id: "a", binary: "a", max_calls_in_flight: 0 }] }],
    [{ plugins: [{ id: "a", binary: "a", env: ["A=1"] }] }],
    [{ tcp: { enabled: "maybe" } }],
    [{ policy: [{ effect: "deny" }] }],
  ])("refuses %j, as the reader does", (value) => {
    expect(validate(value)).toBe(false);
    expect(accepts(value).config).toBeUndefined();
  });

  it("agrees with the reader on whatever the shapes allow", () => {
    fc.assert(
      fc.property(anyRecord(hubFields), (value) => {
        expect(validate(value), JSON.stringify(validate.errors)).toBe(true);
        // What needs a second look (an id used twice, unknown dependencies) is beyond a schema; nothing else may be refused.
        const shapeErrors = accepts(value).diagnostics.filter(({ message }) =>
          /must be|must hold|Unknown key/.test(message),
        );
        expect(shapeErrors.filter(({ message }) => !message.startsWith("Plugin "))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

function anyRecord(fields: Fields, required: readonly string[] = []): fc.Arbitrary<unknown> {
  const values = Object.fromEntries(Object.entries(fields).map(([key, shape]) => [key, anyValue(key, shape)]));
  return fc.record(values, { requiredKeys: required as never[] });
}

function anyValue(key: string, shape: Shape): fc.Arbitrary<unknown> {
  const word = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 12 });
  const scalar = fc.oneof(word, fc.boolean(), fc.integer());
  const text = (source: string | undefined) =>
    source === undefined ? scalar : fc.stringMatching(new RegExp(`^(?:${source})$`));
  switch (shape.kind) {
    case "flag":
      return fc.boolean();
    case "count":
      return fc.integer({ min: shape.minimum, max: shape.maximum });
    case "choice":
      return fc.constantFrom(...shape.values);
    case "path":
      return word;
    case "text":
      return text(shape.pattern?.source);
    case "texts":
      return fc.array(text(shape.pattern?.source), { maxLength: 3 });
    case "textMap":
      return fc.dictionary(word, scalar, { maxKeys: 3 });
    case "group":
      return anyRecord(shape.fields);
    case "groups":
      return fc.array(anyRecord(shape.fields, key === "plugins" ? ["id"] : ["effect", "use"]), { maxLength: 3 });
  }
}
