import { expect, it } from "vitest";
import { matchesCapability, matchesName, parseCapability } from "./index.ts";
import { didYouMean } from "./suggest.ts";

it.each([
  ["bianry", "binary"],
  ["depend_on", "depends_on"],
  ["certsDir", "certs_dir"],
  ["CERTS-DIR", "certs_dir"],
  ["enable", "enabled"],
])("%s is meant as %s", (written, meant) => {
  expect(didYouMean(written, ["binary", "depends_on", "certs_dir", "enabled", "id"])).toBe(`did you mean "${meant}"?`);
});

it.each(["x", "command", "", "ib"])("%j is near nothing", (written) => {
  expect(didYouMean(written, ["binary", "depends_on", "id"])).toBe("");
});

it.each([
  ["*", "", true],
  ["*", "x", true],
  ["get_*", "get_feature", true],
  ["get_*", "forget_x", false],
  ["*_x", "a_x_x", true],
  ["a*b*c", "aXbYbZc", true],
  ["a*b*c", "aXbYbZ", false],
  ["", "x", false],
  ["a.c", "abc", false],
])("pattern %j on %j: %s", (pattern, name, expected) => {
  expect(matchesName(pattern, name)).toBe(expected);
});

it("a hostile pattern takes no exponential time", () => {
  expect(matchesName(`${"a*".repeat(50)}b`, "a".repeat(5000))).toBe(false);
});

it("capabilities are tools unless they say otherwise", () => {
  expect(parseCapability("get_x")).toEqual({ kind: "tool", name: "get_x" });
  expect(parseCapability("storage:markdown")).toEqual({ kind: "storage", name: "markdown" });
  expect(parseCapability("ns:thing")).toEqual({ kind: "tool", name: "ns:thing" });
  expect(matchesCapability(parseCapability("prompt:*"), "prompt", "p")).toBe(true);
  expect(matchesCapability(parseCapability("prompt:*"), "tool", "p")).toBe(false);
});
