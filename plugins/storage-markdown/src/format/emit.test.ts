import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { emitYaml } from "./emit.ts";
import type { JsonObject, JsonValue } from "./json.ts";

/** The scalar that a value is written as. */
const scalar = (value: JsonValue): string => emitYaml({ k: value }).slice("k: ".length, -1);
const quoted = (text: string): string => `"${text}"`;

describe("emitYaml", () => {
  it("writes a feature's front matter", () => {
    const yaml = emitYaml({
      id: "FEAT-GFC",
      title: 'Login "page"',
      version: 0,
      labels: ["a", "b"],
      description: "line1\nline2",
      created_at: "2026-11-21T01:36:14Z",
    });
    expect(yaml).toBe(
      [
        'created_at: "2026-11-21T01:36:14Z"',
        "description: |-",
        "    line1",
        "    line2",
        "id: FEAT-GFC",
        "labels:",
        "    - a",
        "    - b",
        'title: Login "page"',
        "version: 0",
        "",
      ].join("\n"),
    );
  });

  it.each([
    ...["", "null", "~", "true", "False", "yes", "No", "on", "y", "n"],
    ...["1", "1.0", "-3", "0x1f", "0o17", "1e3", ".5", ".inf", "1_000"],
    ...["2020-01-01", "2020-01-01T00:00:00Z", "12:30"],
  ])("double-quotes %j, which would be read as something else", (text) => {
    expect(scalar(text)).toBe(quoted(text));
  });

  it.each([
    ...["a: b", "a:", ":", "- x", "# c", "#", "a #b", "?", "? x", "{a}", "[a]", ", a", "key: [1]"],
    ...["@x", "`x`", "%x", "*a", "&a", "!t", "|", ">", "---", "...", '"q"', "trail ", " lead"],
  ])("single-quotes %j", (text) => {
    expect(scalar(text)).toBe(`'${text}'`);
  });

  it.each(["nan", "a:b", "-x", "x#y", 'quo"te', "it's", "a\\b", "=", "é", "2020-13-01", "2021-02-29", "12:60"])(
    "leaves %j plain",
    (text) => {
      expect(scalar(text)).toBe(text);
    },
  );

  it.each([
    [0, "0"],
    [3, "3"],
    [-1, "-1"],
    [1.5, "1.5"],
    [999_999, "999999"],
    [1_000_000, "1e+06"],
    [12_345_678, "1.2345678e+07"],
    [123_456_789_012, "1.23456789012e+11"],
    [1e20, "1e+20"],
    [1e21, "1e+21"],
    [1e-7, "1e-07"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [1e100, "1e+100"],
    [5e-324, "5e-324"],
    [1 / 3, "0.3333333333333333"],
    [Number.NaN, ".nan"],
    [Number.POSITIVE_INFINITY, ".inf"],
    [Number.NEGATIVE_INFINITY, "-.inf"],
    [true, "true"],
    [false, "false"],
    [null, "null"],
    [[], "[]"],
    [{}, "{}"],
    ["<<", "!!merge <<"],
    ["😀", String.raw`"\U0001F600"`],
    ["a\tb", String.raw`"a\tb"`],
    ["a\r\nb", String.raw`"a\r\nb"`],
    ["\0\u001b\u0085\u2028\u2029", String.raw`"\0\e\N\L\P"`],
    ["\ufeffa b", String.raw`"\uFEFF\x61\x20\x62"`],
    ["multi\nline", "|-\n    multi\n    line"],
    ["multi\nline\n", "|\n    multi\n    line"],
    ["multi\nline\n\n", "|+\n    multi\n    line\n"],
    ["  indented\nline", "|4-\n      indented\n    line"],
    ["a\n\n  b", "|-\n    a\n\n      b"],
    ["space before break \nx", String.raw`"space before break \nx"`],
    [["x".repeat(140)], `\n    - ${"x".repeat(140)}`],
    [[[1, 2], []], "\n    - - 1\n      - 2\n    - []"],
    [[{ z: 1, a: "q" }], "\n    - a: q\n      z: 1"],
    [["two\nlines"], "\n    - |-\n      two\n      lines"],
    [{ b: { c: ["d"] } }, "\n    b:\n        c:\n            - d"],
  ])("writes %j as %j", (value, text) => {
    expect(emitYaml({ k: value })).toBe(text.startsWith("\n") ? `k:${text}\n` : `k: ${text}\n`);
  });

  it.each([
    ["", "'': 1\n"],
    ["a: b", "'a: b': 1\n"],
    ["1", "1: 1\n"],
    ["yes", "yes: 1\n"],
    ["key with space", "key with space: 1\n"],
    ["a\nb", "? |-\n    a\n    b\n: 1\n"],
    ["k".repeat(129), `? ${"k".repeat(129)}\n: 1\n`],
  ])("writes the outermost key %j", (key, text) => {
    expect(emitYaml({ [key]: 1 })).toBe(text);
  });

  it("sorts outermost keys by bytes and nested keys by their numbers", () => {
    expect(emitYaml({ a10: 1, a9: 2, B: { a10: 1, a9: 2 }, "\uffff": 1, "😀": 2 })).toBe(
      'B:\n    a9: 2\n    a10: 1\na10: 1\na9: 2\n"\\uFFFF": 1\n"\\U0001F600": 2\n',
    );
  });

  // Where existing writers lose or break the value.
  it.each([
    [{ k: "\nlead" }, 'k: "\\nlead"\n'],
    [{ k: "\ttab\nline" }, 'k: "\\ttab\\nline"\n'],
    [{ k: ["  indented\nin a list"] }, 'k:\n    - "  indented\\nin a list"\n'],
    [{ k: "a\u2028b" }, 'k: "a\\Lb"\n'],
    [{ "<<": 1, null: 2, "~": 3 }, '"<<": 1\n"null": 2\n"~": 3\n'],
    [{ k: { "<<": { a: 1 } } }, 'k:\n    "<<":\n        a: 1\n'],
  ] satisfies [JsonObject, string][])("mends %j", (value, text) => {
    expect(emitYaml(value)).toBe(text);
  });

  it("agrees with the reference writer on every recorded value", () => {
    const recorded = fixture<[JsonObject, string]>("written.json");
    const wrong = recorded.filter(([value, yaml]) => emitYaml(value) !== yaml);
    expect(wrong).toEqual([]);
    expect(recorded.length).toBeGreaterThan(2000);
  });
});

function fixture<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`../../test/fixtures/${name}`, import.meta.url), "utf8")) as T[];
}
