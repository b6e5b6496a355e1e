import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type InputSchema, ToolError, tool } from "../definition.ts";
import { compilePlugin } from "../plugin/compile.ts";

/** The compiled tool of one schema. */
function compiled(input?: InputSchema, inputJsonSchema?: Record<string, never>) {
  const options = { ...(input && { input }), ...(inputJsonSchema && { inputJsonSchema }) };
  const tools = { t: tool({ description: "t", ...options, run: () => "" } as never) };
  return compilePlugin({ id: "p", version: "1", tools }).tools.get("t")!;
}

async function problem(input: InputSchema, args: Record<string, unknown>): Promise<string> {
  const { validate } = compiled(input, { type: "object" } as never);
  try {
    await validate?.(args as never);
  } catch (error) {
    if (error instanceof ToolError && error.code === "validation_error") return error.message;
    throw error;
  }
  throw new Error("The arguments were accepted");
}

describe("what callers see of a schema", () => {
  it("is an object without arguments where there is none", () => {
    expect(compiled().jsonSchema).toEqual({ type: "object" });
    expect(compiled().validate).toBeUndefined();
  });

  it("is the plain schema as it stands", () => {
    const schema = { type: "object", properties: { a: { type: "string", minLength: 2 } } };
    expect(compiled(schema).jsonSchema).toEqual(schema);
  });

  it("comes from zod by itself, seen from the caller's side", () => {
    const schema = z.object({ n: z.coerce.number().default(3), s: z.string().transform((text) => text.length) });
    expect(compiled(schema).jsonSchema).toMatchObject({
      type: "object",
      properties: { n: { default: 3 }, s: { type: "string" } },
      required: ["s"],
    });
    expect(compiled(schema).jsonSchema).not.toHaveProperty("$schema");
  });

  it("says that it is an object also for a union", () => {
    const schema = z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]);
    expect(compiled(schema).jsonSchema).toMatchObject({ type: "object", anyOf: [{}, {}] });
  });

  it("has to be written down for libraries that cannot produce it", () => {
    const schema = v.object({ a: v.string() });
    expect(() => compiled(schema)).toThrow(/valibot schema, which cannot produce JSON Schema.*inputJsonSchema/);
    expect(compiled(schema, { type: "object", title: "T" } as never).jsonSchema).toEqual({
      type: "object",
      title: "T",
    });
  });

  it("has to be written down for what JSON Schema cannot say", () => {
    expect(() => compiled(z.object({ when: z.date() }))).toThrow(
      /cannot be shown as JSON Schema: .*Date.*inputJsonSchema/,
    );
  });

  it("is never anything but an object", () => {
    expect(() => compiled({ type: "array" })).toThrow(/arguments are always an object/);
    expect(() => compiled(z.string())).toThrow(/arguments are always an object/);
  });
});

describe("checking arguments", () => {
  it("hands on what the schema makes of them", async () => {
    const zod = compiled(z.object({ n: z.number().default(3), s: z.string().transform((text) => text.length) }));
    expect(await zod.validate!({ s: "abc" })).toEqual({ n: 3, s: 3 });
    const plain = compiled({ type: "object", properties: { n: { type: "number", default: 3 } } });
    expect(await plain.validate!({})).toEqual({ n: 3 });
    expect(plain.validate!({ n: 4 })).toEqual({ n: 4 });
  });

  it("waits for schemas that take their time", async () => {
    const schema = z.object({ name: z.string().refine(async (name) => name !== "taken", "is taken") });
    expect(await compiled(schema).validate!({ name: "free" })).toEqual({ name: "free" });
    expect(await problem(schema, { name: "taken" })).toBe('Invalid arguments for tool "t": name: is taken');
  });

  it("names every problem with its place", async () => {
    const plain = {
      type: "object",
      properties: {
        name: { type: "string" },
        size: { type: "integer", minimum: 1 },
        kind: { enum: ["a", "b"] },
        items: { type: "array", items: { type: "object", properties: { "x/y": { type: ["string", "null"] } } } },
      },
      required: ["name"],
      additionalProperties: false,
    };
    const args = { size: 0, kind: "c", items: [{}, { "x/y": 1 }], extra: true };
    expect(await problem(plain, args)).toBe(
      'Invalid arguments for tool "t": name: is required; extra: is not a known argument; size: must be >= 1; ' +
        'kind: expected one of "a", "b"; items[1].x/y: expected string or null',
    );
    const zod = z.object({ items: z.array(z.object({ n: z.number() })) });
    expect(await problem(zod, { items: [{ n: 1 }, { n: "2" }] })).toBe(
      'Invalid arguments for tool "t": items[1].n: expected number, received string',
    );
    const valibot = v.object({ a: v.object({ b: v.number() }) });
    expect(await problem(valibot, { a: { b: "x" } })).toBe(
      'Invalid arguments for tool "t": a.b: Expected number but received "x"',
    );
  });

  it("keeps a thousand problems in one paragraph", async () => {
    const schema = { type: "object", properties: { list: { type: "array", items: { type: "number" } } } };
    const text = await problem(schema, { list: Array.from({ length: 1000 }, () => "x") });
    expect(text).toMatch(/list\[4\]: expected number; and 995 more$/);
    expect(text.length).toBeLessThan(300);
  });
});
