import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Progress, Struct, ToolRequest } from "../src/index.ts";
import { twinOf } from "./arbitrary.ts";
import { plainFromGenerated, plainFromReflection } from "./plain.ts";
import { loadSchema, pairOf } from "./schema.ts";
import { varint } from "./wire.ts";

const schema = loadSchema();
const envelopes = ["PluginRequest", "PluginResponse"];

describe("generated codecs against a second implementation that reads the .proto files", () => {
  it("know every message of the schema", () => {
    expect(schema.length).toBeGreaterThan(50);
  });

  it.each(schema.map((pair) => [pair.name, pair] as const))(
    "%s: both write the same, and read what the other wrote",
    (_, pair) => {
      const { type, codec } = pair;
      fc.assert(
        fc.property(twinOf(type), ({ reflected, generated }) => {
          const ours = codec.encode(codec.fromPartial(generated as object)).finish();
          const theirs = new Uint8Array(type.encode(reflected as Record<string, unknown>).finish());
          // In an envelope, members from number 201 up and the fields at 200 may stand in either order.
          if (envelopes.includes(type.name)) expect(ours.length).toBe(theirs.length);
          else expect(ours).toEqual(theirs);
          const expected = plainFromReflection(type, type.decode(theirs) as never);
          expect(plainFromReflection(type, type.decode(ours) as never)).toEqual(expected);
          expect(plainFromGenerated(type, codec.decode(theirs))).toEqual(expected);
          expect(plainFromGenerated(type, codec.decode(ours))).toEqual(expected);
        }),
        { numRuns: envelopes.includes(type.name) ? 300 : 50 },
      );
    },
  );

  it.each(schema.map((pair) => [pair.name, pair] as const))(
    "%s: fields that are not known are kept, byte for byte",
    (_, pair) => {
      const { type, codec } = pair;
      const unknown = fc
        .tuple(
          fc.maxSafeNat(),
          fc.uint8Array({ minLength: 8, maxLength: 8 }),
          fc.uint8Array({ maxLength: 200 }),
          fc.uint8Array({ minLength: 4, maxLength: 4 }),
        )
        .map(([number, eight, bytes, four]) =>
          Uint8Array.of(
            ...varint(500 * 8),
            ...varint(number),
            ...varint(501 * 8 + 1),
            ...eight,
            ...varint(502 * 8 + 2),
            ...varint(bytes.length),
            ...bytes,
            ...varint(0x1fffffff * 8 + 5),
            ...four,
          ),
        );
      fc.assert(
        fc.property(twinOf(type), unknown, ({ generated }, extra) => {
          const known = codec.encode(codec.fromPartial(generated as object)).finish();
          const bytes = Uint8Array.of(...known, ...extra);
          expect(codec.encode(codec.decode(bytes)).finish()).toEqual(bytes);
        }),
        { numRuns: 20 },
      );
    },
  );
});

describe("values on which codecs may differ", () => {
  const structOf = (fields: Record<string, unknown>) => Struct.encode({ fields }).finish();
  const keysOf = (bytes: Uint8Array) => Object.keys(Struct.decode(bytes).fields);

  it("NaN, infinities and minus zero survive in a Struct", () => {
    const fields = { nan: Number.NaN, up: Number.POSITIVE_INFINITY, down: Number.NEGATIVE_INFINITY, zero: -0 };
    expect(Struct.decode(structOf(fields)).fields).toEqual(fields);
    expect(Object.is(Struct.decode(structOf(fields)).fields.zero, -0)).toBe(true);
  });

  it("minus zero in a plain double is left out like zero, and read as what a peer wrote", () => {
    expect(Progress.encode(Progress.fromPartial({ progress: -0 })).finish()).toHaveLength(0);
    expect(Object.is(Progress.decode(Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 0x80)).progress, -0)).toBe(true);
  });

  it("a lone surrogate becomes U+FFFD, never bytes that others refuse to read", () => {
    const bytes = ToolRequest.encode(ToolRequest.fromPartial({ toolName: "a\ud800b" })).finish();
    const { type } = pairOf(schema, "ToolRequest");
    expect(type.decode(bytes)).toMatchObject({ toolName: "a\ufffdb" });
    expect(ToolRequest.decode(bytes).toolName).toBe("a\ufffdb");
  });

  it("the order of a map's entries is kept, apart from keys that are whole numbers", () => {
    expect(keysOf(structOf({ z: 1, a: 2, m: 3 }))).toEqual(["z", "a", "m"]);
    expect(keysOf(structOf({ z: 1, 10: 2, 9: 3 }))).toEqual(["9", "10", "z"]);
  });

  it("empty keys and values of maps are read alike, written out or left out", () => {
    const { type, codec } = pairOf(schema, "BootRequest");
    const config = { "": "", k: "", "7": "x" };
    const ours = codec.encode(codec.fromPartial({ config })).finish();
    const theirs = type.encode({ config }).finish();
    expect(ours.length).toBeLessThan(theirs.length);
    expect(codec.decode(theirs).config).toEqual(config);
    expect(type.toObject(type.decode(ours))).toEqual({ config });
    expect(keysOf(structOf({ "": 1 }))).toEqual([""]);
  });

  it("the last of two entries with one key counts, in both codecs", () => {
    const one = structOf({ k: 1 });
    const two = structOf({ k: 2 });
    const bytes = Uint8Array.of(...one, ...two);
    const arguments_ = pairOf(schema, "ToolRequest").type.fields.arguments!.resolvedType;
    expect(Struct.decode(bytes).fields).toEqual({ k: 2 });
    const reflected = (
      arguments_ as unknown as { decode(bytes: Uint8Array): { fields: Record<string, unknown> } }
    ).decode(bytes);
    expect(reflected.fields.k).toMatchObject({ numberValue: 2 });
  });

  it("the largest whole numbers of 64-bit fields are refused, not rounded", () => {
    const { codec } = pairOf(schema, "StorageReadResponse");
    const max = [0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    expect(() => codec.decode(Uint8Array.from(max))).toThrow();
    const safe = codec.encode(codec.fromPartial({ version: Number.MAX_SAFE_INTEGER })).finish();
    expect(codec.decode(safe).version).toBe(Number.MAX_SAFE_INTEGER);
  });
});
