import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeStruct, ErrorCode, encodeStruct, HubError, type JsonObject, Struct } from "../src/index.ts";
import { anyText, jsonObject, wellFormedText } from "./json.ts";
import { reflectedStruct } from "./plain.ts";
import { damaged } from "./requests.ts";
import { loadSchema, pairOf } from "./schema.ts";
import { concat, lengthDelimited, varintField } from "./wire.ts";

interface Reflected {
  encode(message: object): { finish(): Uint8Array };
}
const reflected = pairOf(loadSchema(), "ToolRequest").type.fields.arguments!.resolvedType as unknown as Reflected;
const generatedBytes = (fields: object) => Struct.encode({ fields: fields as JsonObject }).finish();
const runs = { numRuns: 300 };

/** As toEqual, which takes a second for a megabyte. */
function expectSameBytes(ours: Uint8Array, theirs: Uint8Array): void {
  if (Buffer.compare(ours, theirs) !== 0)
    expect(Buffer.from(ours).toString("hex")).toBe(Buffer.from(theirs).toString("hex"));
}

/** An empty key has two encodings: left out, as the generated codec has it, or written out, as the other one has it. */
function hasEmptyKey(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, entry]) => key === "" || hasEmptyKey(entry));
}

/** Where a list has a value without a kind, the generated decoder gives undefined, which is no JSON. */
function withNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry) => (entry === undefined ? null : withNulls(entry)));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withNulls(entry)]));
}

function refusalOf(action: () => unknown): HubError {
  try {
    action();
  } catch (error) {
    if (error instanceof HubError) return error;
    throw error;
  }
  throw new Error("Nothing was refused");
}

describe("encodeStruct", () => {
  it("writes what the generated codec writes, for any JSON and any text", () => {
    fc.assert(
      fc.property(jsonObject(anyText), (object) => {
        expectSameBytes(encodeStruct(object), generatedBytes(object));
      }),
      runs,
    );
  });

  it("writes what a second implementation writes, for any JSON with keys and well-formed texts", () => {
    fc.assert(
      fc.property(
        jsonObject(wellFormedText).filter((object) => !hasEmptyKey(object)),
        (object) => {
          const theirs = new Uint8Array(reflected.encode(reflectedStruct(object)).finish());
          expectSameBytes(encodeStruct(object), theirs);
        },
      ),
      runs,
    );
  });

  it("puts the bytes where it is told, after the headroom", () => {
    const object = { text: "x".repeat(300), list: [1, "é"] };
    const pieces: Uint8Array[] = [];
    const allocate = (length: number) => {
      pieces.push(new Uint8Array(length).fill(0xee));
      return pieces.at(-1)!;
    };
    const bytes = encodeStruct(object, { headroom: 9, allocate });
    expect(bytes).toEqual(generatedBytes(object));
    expect(pieces).toHaveLength(1);
    expect(pieces[0]!.subarray(0, 9)).toEqual(new Uint8Array(9).fill(0xee));
    expect(bytes.buffer).toBe(pieces[0]!.buffer);
  });

  it("writes texts and nesting beyond what its buffer holds", () => {
    for (const unit of ["x", "é", "€", "😀"]) {
      const texts = [47, 48, 49, 5_460, 16_383, 16_384, 16_385, 500_000].map((size) => unit.repeat(size));
      const object = { texts, more: texts.map((text) => `${text}é`), list: Array.from({ length: 3_000 }, () => unit) };
      expectSameBytes(encodeStruct(object), generatedBytes(object));
    }
    let nested: JsonObject = { text: "x".repeat(70_000) };
    for (let i = 0; i < 45; i++) nested = { ["k".repeat(i * 3)]: nested, list: [[nested.text ?? i]] };
    expectSameBytes(encodeStruct(nested), generatedBytes(nested));
  });
});

describe("decodeStruct", () => {
  it("reads what was written, from the middle of other bytes as well", () => {
    fc.assert(
      fc.property(jsonObject(anyText), fc.uint8Array(), fc.uint8Array(), (object, before, after) => {
        const bytes = generatedBytes(object);
        const around = concat([before, bytes, after]);
        const decoded = decodeStruct(around, before.length, before.length + bytes.length);
        // Compares also the order of the keys, and -0.
        expectSameBytes(generatedBytes(decoded), generatedBytes(Struct.decode(bytes).fields));
        expect(decodeStruct(bytes)).toEqual(decoded);
      }),
      runs,
    );
  });

  it("of damaged bytes reads what the generated codec reads, or refuses; it never crashes, hangs, or changes the bytes", () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(damaged(jsonObject(wellFormedText).map(generatedBytes)), (bytes) => {
        const before = bytes.slice();
        let ours: JsonObject;
        try {
          ours = decodeStruct(bytes);
        } catch (error) {
          if (!(error instanceof HubError) || error.code !== ErrorCode.Protocol) throw error;
          refused++;
          return;
        } finally {
          expectSameBytes(bytes, before);
        }
        accepted++;
        const theirs = withNulls(Struct.decode(bytes).fields) as JsonObject;
        expectSameBytes(encodeStruct(ours), encodeStruct(theirs));
      }),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(200);
    expect(refused).toBeGreaterThan(200);
  });

  it("refuses every prefix that ends inside of a field, as the generated codec does", () => {
    const bytes = generatedBytes({ a: [1, "é", { b: true, c: null }], long: "x".repeat(200), "": -0 });
    for (let end = 0; end <= bytes.length; end++) {
      let theirs: unknown;
      try {
        theirs = Struct.decode(bytes.subarray(0, end)).fields;
      } catch {
        expect(refusalOf(() => decodeStruct(bytes, 0, end)).code).toBe(ErrorCode.Protocol);
        continue;
      }
      expect(decodeStruct(bytes, 0, end)).toEqual(theirs);
    }
  });

  it("of repeated fields takes the last, and skips what it does not know or what has another wire type", () => {
    const value = (...fields: Uint8Array[]) => lengthDelimited(2, concat(fields));
    const text = (content: string) => lengthDelimited(3, content);
    const entry = (...fields: Uint8Array[]) => lengthDelimited(1, concat(fields));
    const unknown = [varintField(77, 2 ** 40), lengthDelimited(78, "?"), Uint8Array.of(9 * 8 + 5, 1, 2, 3, 4)];
    const bytes = concat([
      entry(value(text("keyless"))),
      entry(
        lengthDelimited(1, "old"),
        value(text("1")),
        ...unknown,
        lengthDelimited(1, "new"),
        value(varintField(4, 1)),
      ),
      varintField(1, 5),
      ...unknown,
      entry(lengthDelimited(1, "kind"), value(text("x"), varintField(1, 0), ...unknown, varintField(3, 9))),
      entry(lengthDelimited(1, "none"), value(...unknown)),
      entry(lengthDelimited(1, "absent")),
      entry(lengthDelimited(1, "undone"), value(text("x")), value()),
      entry(lengthDelimited(1, "new"), value(text("again"))),
      entry(lengthDelimited(1, "list"), value(lengthDelimited(6, concat([lengthDelimited(1, ""), varintField(1, 1)])))),
    ]);
    const decoded = decodeStruct(bytes);
    expect(decoded).toEqual({ "": "keyless", new: "again", kind: null, list: [null] });
    expect(decoded).toEqual(withNulls(Struct.decode(bytes).fields));
  });

  it("reads texts and keys that are not UTF-8 as the generated codec does", () => {
    for (const damage of ["ff", "c3", "eda0bd", "f0908080ff", `${"61".repeat(40)}c3`, "efbbbf61"]) {
      const text = Uint8Array.from(damage.match(/../g)!, (byte) => Number.parseInt(byte, 16));
      const entry = concat([lengthDelimited(1, text), lengthDelimited(2, lengthDelimited(3, text))]);
      const bytes = lengthDelimited(1, entry);
      const { fields } = Struct.decode(bytes);
      // The second time the key comes from those that were read before.
      for (let i = 0; i < 2; i++) expect(Object.entries(decodeStruct(bytes))).toEqual(Object.entries(fields));
    }
  });

  it("keeps apart keys that are alike", () => {
    const names = Array.from({ length: 5_000 }, (_, i) => `key_${i}_${"x".repeat(i % 30)}`);
    const object = Object.fromEntries(names.map((name, i) => [name, i]));
    const bytes = generatedBytes(object);
    for (let i = 0; i < 2; i++) expect(decodeStruct(bytes)).toEqual(object);
  });
});
