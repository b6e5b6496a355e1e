import { describe, expect, it } from "vitest";
import { ErrorCode, HubError } from "../errors.ts";
import { decodeStruct } from "./decode-struct.ts";
import { encodeStruct } from "./encode-struct.ts";
import { type JsonObject, MAX_STRUCT_DEPTH } from "./json.ts";

const roundTrip = (object: object) => decodeStruct(encodeStruct(object));

function nested(levels: number, list: boolean): JsonObject {
  let value: JsonObject | JsonObject[string] = list ? [] : {};
  for (let level = 2; level < levels; level++) value = list ? [value] : { a: value };
  return { a: value };
}

/** Bytes of lists or objects in each other: each level is wrapped from the inside out. */
function hostileNesting(levels: number): Uint8Array {
  let body: number[] = [];
  const wrap = (tag: number) => {
    const size: number[] = [];
    let rest = body.length;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) size.push((rest & 0x7f) | 0x80);
    body = [tag, ...size, rest].concat(body);
  };
  for (let level = 0; level < levels; level++) {
    wrap(50);
    wrap(10);
  }
  body.splice(0, 1, 18);
  wrap(10);
  return Uint8Array.from(body);
}

describe("encodeStruct", () => {
  class Point {
    x = 1;
    readonly #hidden = 2;
    get y(): number {
      return this.#hidden;
    }
  }

  it.each([
    ["undefined in objects is left out", { a: undefined, b: 1 }, { b: 1 }],
    [
      "undefined and holes in arrays are null",
      { a: Object.assign(new Array(4), { 0: 1, 1: undefined, 3: 2 }) },
      { a: [1, null, null, 2] },
    ],
    [
      "a Date is its text",
      { a: new Date(0), b: [new Date(0)] },
      JSON.parse(JSON.stringify({ a: new Date(0), b: [new Date(0)] })),
    ],
    [
      "toJSON may give anything",
      { a: { toJSON: (key: string) => [key, { b: 1 }] }, c: { toJSON: () => null } },
      { a: ["a", { b: 1 }], c: null },
    ],
    ["toJSON may give nothing", { a: { toJSON() {} }, b: [{ toJSON() {} }] }, { b: [null] }],
    ["a toJSON that is no function is a key", { toJSON: "x", a: { toJSON: 1 } }, { toJSON: "x", a: { toJSON: 1 } }],
    ["a whole object may have toJSON", { secret: 1, toJSON: () => ({ shown: 1 }) }, { shown: 1 }],
    ["instances of classes are their own keys", { a: new Point() }, { a: { x: 1 } }],
    ["objects without a prototype are objects", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [
      "inherited keys are not written",
      Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } }),
      { own: 2 },
    ],
    ["symbols as keys are not written", { [Symbol("s")]: 1, a: 1 }, { a: 1 }],
  ])("%s", (_, object, expected) => {
    expect(roundTrip(object)).toEqual(expected);
  });

  it("writes no keys that somebody gave to all objects", () => {
    Object.defineProperty(Object.prototype, "polluted", { value: 1, enumerable: true, configurable: true });
    let bytes: Uint8Array;
    try {
      bytes = encodeStruct({ a: { b: 1 } });
    } finally {
      Reflect.deleteProperty(Object.prototype, "polluted");
    }
    expect(decodeStruct(bytes)).toEqual({ a: { b: 1 } });
  });

  it("keeps __proto__ an ordinary key, of instances as well", () => {
    const object = JSON.parse('{"__proto__": {"admin": true}, "constructor": 1}') as object;
    for (const given of [object, Object.setPrototypeOf({ ...object }, Object.create(Object.prototype)) as object]) {
      const decoded = roundTrip(given);
      expect(Object.keys(decoded)).toContain("constructor");
      expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
      expect("admin" in decoded).toBe(false);
    }
    expect(Object.keys(roundTrip(object))).toEqual(["__proto__", "constructor"]);
  });

  const loop: Record<string, unknown> = {};
  loop["self"] = [loop];

  it.each([
    ["a bigint", { a: [{ b: 1n }] }, '"a[0].b" is a bigint, which JSON cannot hold'],
    ["a function", { a: () => {} }, '"a" is a function, which JSON cannot hold'],
    ["a symbol", { a: [1, Symbol("s")] }, '"a[1]" is a symbol, which JSON cannot hold'],
    ["a Map", { a: { b: new Map() } }, '"a.b" is of kind Map, which JSON cannot hold; convert it first'],
    ["a Set", [], "it is not an object"],
    ["bytes", { a: new Uint8Array(2) }, '"a" is of kind Uint8Array, which JSON cannot hold; convert it first'],
    ["a boxed number", { "": Object(1) as unknown }, '"" is of kind Number, which JSON cannot hold; convert it first'],
    ["a promise", { a: Promise.resolve() }, '"a" is of kind Promise, which JSON cannot hold; convert it first'],
    ["what toJSON gave", { a: { toJSON: () => 1n } }, '"a" is a bigint, which JSON cannot hold'],
    ["a text instead of an object", { toJSON: () => "text" }, "it is not an object"],
    ["a Map as a whole", new Map(), "it is of kind Map, which JSON cannot hold; convert it first"],
  ])("refuses %s and says where", (_, object, message) => {
    expect(() => encodeStruct(object)).toThrow(
      new HubError(ErrorCode.InvalidArgument, `Cannot write Struct: ${message}`),
    );
  });

  it.each([null, undefined, "text", 1])("refuses %s", (value) => {
    expect(() => encodeStruct(value as never)).toThrow("Cannot write Struct: it is not an object");
  });

  it("refuses what contains itself", () => {
    expect(() => encodeStruct(loop)).toThrow(
      /"self\[0\]\.self\[0\].*…" is nested deeper than 100 levels, or contains itself$/,
    );
  });

  it("refuses what no frame can hold, before it holds it in memory many times over", () => {
    const piece = "x".repeat(1024 * 1024);
    const large = (pieces: number) => ({ pieces: Array.from({ length: pieces }, () => piece) });
    expect(encodeStruct(large(15)).length).toBeGreaterThan(15 * 1024 * 1024);
    for (const pieces of [16, 200]) {
      expect(() => encodeStruct(large(pieces))).toThrow(expect.objectContaining({ code: ErrorCode.FrameTooLarge }));
    }
  });

  it("can be used while it is in use, and after a failure", () => {
    const inner = { x: "é".repeat(30) };
    let bytes: Uint8Array | undefined;
    const outer = {
      a: "first",
      b: {
        toJSON() {
          bytes = encodeStruct(inner);
          expect(() => encodeStruct({ y: [1n] })).toThrow('"y[0]"');
          return 2;
        },
      },
      c: "last",
    };
    expect(roundTrip(outer)).toEqual({ a: "first", b: 2, c: "last" });
    expect(decodeStruct(bytes!)).toEqual(inner);
  });

  it("passes on what a getter or toJSON throws", () => {
    const object = {
      get a(): number {
        throw new TypeError("no");
      },
    };
    expect(() => encodeStruct(object)).toThrow(new TypeError("no"));
  });
});

describe("depth", () => {
  it.each([false, true])("is the same for both sides; lists: %s", (list) => {
    const deepest = nested(MAX_STRUCT_DEPTH, list);
    expect(roundTrip(deepest)).toEqual(deepest);
    expect(() => encodeStruct(nested(MAX_STRUCT_DEPTH + 1, list))).toThrow("nested deeper than 100 levels");
  });

  it("ends hostile nesting with an error, not with the stack", () => {
    expect(decodeStruct(hostileNesting(MAX_STRUCT_DEPTH - 1))).toBeDefined();
    for (const levels of [MAX_STRUCT_DEPTH, 3_000]) {
      expect(() => decodeStruct(hostileNesting(levels))).toThrow(
        expect.objectContaining({
          code: ErrorCode.Protocol,
          message: expect.stringContaining("nested deeper than 100 levels"),
        }),
      );
    }
  });
});

describe("decodeStruct", () => {
  it.each([
    ["a length that reaches too far", [10, 5, 10, 1, 97]],
    ["a number that is cut off", [10, 10, 18, 8, 17, 0, 0, 0, 0, 0, 0, 0]],
    ["a number that reaches out of its value", [10, 11, 18, 8, 17, 0, 0, 0, 0, 0, 0, 0, 0]],
    ["a bool that is neither", [10, 4, 18, 2, 32, 2]],
    ["a bool that is not there", [10, 3, 18, 1, 32]],
    ["a null that is not there", [10, 3, 18, 1, 8]],
    ["a length that is not there", [10]],
    ["a group", [11, 12]],
    ["the end of a group", [12]],
    ["field number 0", [2, 0]],
    ["tag 0", [0]],
    ["a length that is longer than it needs to be", [10, 0x80, 0]],
    ["a tag that is longer than it needs to be", [0x8a, 0, 0]],
  ])("refuses %s", (_, bytes) => {
    expect(() => decodeStruct(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: ErrorCode.Protocol }));
  });

  it.each([
    [-1, 0],
    [0, 3],
    [2, 1],
  ])("refuses a range outside of the bytes, %i to %i", (start, end) => {
    expect(() => decodeStruct(new Uint8Array(2), start, end)).toThrow("Struct lies outside of its bytes");
  });
});
