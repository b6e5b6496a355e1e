import { ListToolsResultSchema } from "@modelcontextprotocol/sdk/types.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { startSession } from "../test/harness.ts";
import type { JsonObject } from "./index.ts";
import { clientOutputSchema, clientSchema } from "./tool-schema.ts";

describe("clientSchema", () => {
  it.each<[string, JsonObject | undefined, JsonObject]>([
    ["nothing", undefined, { type: "object" }],
    ["an empty schema", {}, { type: "object" }],
    ["a schema of another type", { type: "string" }, { type: "object" }],
    ["an object or null", { type: ["object", "null"], title: "t" }, { type: "object", title: "t" }],
    ["a type that is a number", { type: 1 }, { type: "object" }],
    [
      "true and false",
      { properties: { a: true, b: false } },
      { type: "object", properties: { a: {}, b: { not: {} } } },
    ],
    ["properties that are a list", { type: "object", properties: [] }, { type: "object" }],
    ["names that are no text", { type: "object", required: [1] }, { type: "object" }],
    ["other keywords", { type: "object", $defs: { x: {} } }, { type: "object", $defs: { x: {} } }],
  ])("makes an object schema of %s", (_what, schema, expected) => {
    expect(clientSchema(schema)).toEqual(expected);
  });

  it("drops a promise that is not of an object", () => {
    expect(clientOutputSchema({ type: "array" })).toBeUndefined();
    expect(clientOutputSchema(undefined)).toBeUndefined();
    expect(clientOutputSchema({ type: "object" })).toEqual({ type: "object" });
  });

  it("never spoils the list for the official client, whatever plugins declare", async () => {
    const schema = fc.dictionary(
      fc.constantFrom("type", "properties", "required", "title", "__proto__", "readOnlyHint"),
      fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant("object")),
    ) as fc.Arbitrary<JsonObject>;
    const tool = fc.record({ name: fc.string(), inputSchema: schema, outputSchema: schema, annotations: schema });
    await fc.assert(
      fc.asyncProperty(fc.array(tool, { maxLength: 5 }), async (tools) => {
        const { ask, backend } = startSession("2025-11-25");
        backend.listTools = async () => tools;
        const { result } = await ask("tools/list");
        expect(ListToolsResultSchema.safeParse(result).error).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});
