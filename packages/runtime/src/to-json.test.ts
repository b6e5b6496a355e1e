import { HubError } from "@orchestrator/protocol";
import { expect, it } from "vitest";
import { toJsonObject } from "./to-json.ts";

it("returns the same object where there is nothing to change", () => {
  const value = { a: [1, { b: null }], c: "x", d: true };
  expect(toJsonObject(value, "It")).toBe(value);
});

it("does what JSON does", () => {
  const value = {
    gone: undefined,
    method() {},
    when: new Date(0),
    list: [1, undefined, () => {}, 2],
    bad: [Number.NaN, Number.POSITIVE_INFINITY],
    kept: { x: 1 },
  };
  expect(toJsonObject(value, "It")).toEqual(JSON.parse(JSON.stringify(value)));
});

it("keeps a key that means something else to objects", () => {
  const value = JSON.parse('{"__proto__": {"a": 1}, "list": []}') as Record<string, unknown>;
  value["list"] = undefined;
  const changed = toJsonObject(value, "It");
  expect(Object.keys(changed)).toEqual(["__proto__"]);
  expect(Object.getPrototypeOf(changed)).toBe(Object.prototype);
});

it.each([
  [{ a: [{ b: 1n }] }, 'It at "a[0].b" is a bigint, which JSON cannot hold'],
  [{ a: new Uint8Array(1) }, 'It at "a" holds bytes, which JSON cannot; encode them as text'],
  [["x"], "It is not an object"],
])("refuses %o", (value, message) => {
  expect(() => toJsonObject(value, "It")).toThrow(new HubError("INTERNAL", message));
});

it("refuses what contains itself", () => {
  const loop: Record<string, unknown> = {};
  loop["self"] = loop;
  expect(() => toJsonObject(loop, "It")).toThrow(/nests deeper than 30 levels, or contains itself/);
});
