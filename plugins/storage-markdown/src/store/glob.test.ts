import { describe, expect, it } from "vitest";
import { compileGlob } from "./glob.ts";

describe("compileGlob", () => {
  it.each([
    ["", "a.md", true],
    ["", "a.txt", false],
    ["*.md", ".md", true],
    ["*", "", true],
    ["*", ".hidden", true],
    ["?.md", "é.md", true],
    ["?.md", "😀.md", true],
    ["?.md", "ab.md", false],
    ["[a-c]x", "bx", true],
    ["[^a-c]x", "bx", false],
    ["[^a-c]x", "dx", true],
    ["[!a]", "b", false],
    ["[a\\-z]", "-", true],
    ["[]", "x", "malformed"],
    ["[]a]", "a", "malformed"],
    ["[a-]", "a", "malformed"],
    ["[a", "a", "malformed"],
    ["a\\", "a", "malformed"],
    ["\\*", "*", true],
    ["\\*", "x", false],
    ["a]", "a]", true],
    ["{a,b}", "a", false],
    ["**", "a/b", true],
    ["a*b*c", "axxbyyc", true],
    ["a*b*c", "axxbyy", false],
    ["FEAT-???.md", "FEAT-ABC.md", true],
  ])("matches %j against %j: %j", (pattern, name, expected) => {
    const match = (): boolean => compileGlob(pattern)(name);
    if (expected === "malformed") expect(match).toThrow(/Pattern is malformed/);
    else expect(match()).toBe(expected);
  });

  it("takes no more than the product of both lengths", () => {
    const accepts = compileGlob("*a".repeat(128));
    expect(accepts("a".repeat(127) + "b".repeat(4000))).toBe(false);
    expect(accepts("ab".repeat(127) + "b".repeat(2000) + "a")).toBe(true);
  });
});
