import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "./json.ts";
import { parseYaml } from "./parse.ts";
import { FrontMatterError } from "./yaml-error.ts";

describe("parseYaml", { timeout: 60_000 }, () => {
  it("keeps dates and times as text, as they are written", () => {
    const yaml = "date: 2020-01-01\ntime: 2026-11-21T01:36:14Z\nflow: [2020-01-01 10:00:00]\n2020-02-02: key\n";
    expect(parseYaml(yaml)).toEqual({
      date: "2020-01-01",
      time: "2026-11-21T01:36:14Z",
      flow: ["2020-01-01 10:00:00"],
      "2020-02-02": "key",
    });
  });

  it("makes text of keys that are something else", () => {
    expect(parseYaml("a:\n  1: x\n  true: y\n  ~: z\nb: {2: w, 0x1f: v}\n")).toEqual({
      a: { "1": "x", true: "y", "~": "z" },
      b: { "2": "w", "0x1f": "v" },
    });
  });

  it("takes yes, no, on and off for text, and numbers in all their spellings", () => {
    const yaml =
      "a: yes\nb: off\nc: 0x1f\nd: 0777\ne: 0o17\nf: 0b101\ng: 1_000\nh: +4\ni: .5\nj: 08\nk: 1e3\nl: 12:30\n";
    expect(parseYaml(yaml)).toEqual({
      ...{ a: "yes", b: "off", c: 31, d: 511, e: 15, f: 5, g: 1000, h: 4, i: 0.5, j: 8, k: 1000, l: "12:30" },
    });
  });

  it("goes as far as 64 bits with integers, and on with floats", () => {
    const yaml = "a: 18446744073709551615\nb: 18446744073709551616\nc: 0xFFFFFFFFFFFFFFFFF\nd: 1e400\ne: -.inf\n";
    const read = parseYaml(yaml);
    expect(read).toEqual({
      a: 2 ** 64,
      b: 2 ** 64,
      c: "0xFFFFFFFFFFFFFFFFF",
      d: "1e400",
      e: Number.NEGATIVE_INFINITY,
    });
  });

  it("resolves anchors, aliases and merges; what is in the map wins, then what comes first", () => {
    const yaml = [
      "base: &base {x: 1, y: 2}",
      "other: &other\n  y: 3\n  z: 4",
      "one:\n  <<: *base\n  x: 9",
      "both:\n  <<: [*base, *other]",
      "list: &list [a]\nagain: *list",
      "base2: &base {x: 5}\nlater: *base",
    ].join("\n");
    expect(parseYaml(`${yaml}\n`)).toMatchObject({
      one: { x: 9, y: 2 },
      both: { x: 1, y: 2, z: 4 },
      again: ["a"],
      later: { x: 5 },
    });
  });

  it.each([
    ['t: !!str 12\nu: !!int "3"\nf: !!float 3\n', { t: "12", u: 3, f: 3 }],
    [
      "b: !!binary aGVsbG8=\nc: !custom 7\nm: !!map {a: b}\nn: !!null ''\n",
      { b: "hello", c: "7", m: { a: "b" }, n: null },
    ],
    ["a: {'<<': 1}\nb: {!!str <<: 2}\n", { a: { "<<": 1 }, b: { "<<": 2 } }],
    [
      "folded: >-\n  some\n  text\n\n  more\nplain: multi\n  line\n",
      { folded: "some text\nmore", plain: "multi line" },
    ],
    ["labels: [\n  a,\n  b\n]\n", { labels: ["a", "b"] }],
    ["labels:\n- a\n- b\nother: x # comment\n", { labels: ["a", "b"], other: "x" }],
    [
      "a: 'x\u2028    y'\nb: |-\n    p\u2028    q\n    r\nc: \"\\L  z\"\n",
      { a: "x\u2028y", b: "p\u2028q\nr", c: "\u2028  z" },
    ],
    ["a: |-\r\n  one\r\n  two\r\nb: 1\r\n", { a: "one\ntwo", b: 1 }],
    ["a: \u00a0x\u00a0\n", { a: "\u00a0x\u00a0" }],
    ["__proto__: {a: 1}\n", JSON.parse('{"__proto__":{"a":1}}')],
    ["__proto__:\n    a: 1\n", JSON.parse('{"__proto__":{"a":1}}')],
    ["# nothing\n\n", {}],
    ["", {}],
    ["~\n", {}],
  ])("reads %j", (yaml, value) => {
    expect(parseYaml(yaml)).toEqual(value);
  });

  it.each([
    ["a: 1\na: 2\n", /duplicate key "a"/],
    ["a: {b: 1, b: 2}\n", /duplicate key "b"/],
    ["1: x\n'1': y\n", /duplicate key "1"/],
    ["- a\n", /not a map/],
    ["just text\n", /not a map/],
    ["a: *nowhere\n", /unknown anchor "nowhere"/],
    ["a: &a [*a]\n", /contains itself/],
    ["<<: 1\n", /needs a map/],
    ["<<: {a: 1}\n<<: {b: 1}\n", /duplicate key "<<"/],
    ["[a]: 1\n", /a key is a list or a map/],
    ["a: !!int x\n", /"x" is not a int/],
    ['a: !!binary "="\n', /not base64/],
    ["a: !!binary gA==\n", /not text/],
    ["a: 1\n...\nb: 2\n", /second document/],
    ["  a: 1\nb: 2\n", /Unexpected scalar/],
    [`a: ${"[".repeat(500)}${"]".repeat(500)}\n`, /nested deeper/],
    [`a: ${"[".repeat(50_000)}\n`, /.+/],
    [`a: ${"x".repeat(1024 * 1024)}\n`, /longer than/],
    [`a: [${"1,".repeat(100_000)}]\n`, /longer than/],
  ])("refuses what is wrong (%#)", (yaml, reason) => {
    expect(() => parseYaml(yaml)).toThrow(FrontMatterError);
    expect(() => parseYaml(yaml)).toThrow(reason);
  });

  it("names the line of a mistake", () => {
    const failure = capture(() => parseYaml('a: 1\nb: "open\n'));
    expect(failure).toMatchObject({ line: 3 });
  });

  it.each(["lists", "maps", "merges", "texts"])("stops at %s that grow through aliases", (kind) => {
    expect(capture(() => parseYaml(bomb(kind))).message).toMatch(/grows too large|nested deeper/);
  });

  it("reads what the reference reads, as far as recorded", () => {
    const url = new URL("../../test/fixtures/read.json", import.meta.url);
    const recorded = JSON.parse(readFileSync(url, "utf8")) as [string, JsonObject][];
    const wrong = recorded.filter(([yaml, value]) => sorted(parseYaml(yaml)) !== sorted(value));
    expect(wrong).toEqual([]);
    expect(recorded.length).toBeGreaterThan(1000);
  });
});

function bomb(kind: string): string {
  const levels = Array.from({ length: 12 }, (_, level) => level);
  const ten = (level: number): string => Array(10).fill(`*a${level}`).join(",");
  if (kind === "lists") return `a0: &a0 [x]\n${levels.map((n) => `a${n + 1}: &a${n + 1} [${ten(n)}]\n`).join("")}`;
  if (kind === "maps")
    return `a0: &a0 x\n${levels.map((n) => `a${n + 1}: &a${n + 1} {a: *a${n}, b: *a${n}, c: *a${n}, d: *a${n}}\n`).join("")}`;
  if (kind === "merges")
    return `a0: &a0 {k: 1}\n${levels.map((n) => `a${n + 1}: &a${n + 1} {<<: [${ten(n)}]}\n`).join("")}`;
  return `a0: &a0 ${"x".repeat(60_000)}\nb: [${"*a0,".repeat(10_000)}]\n`;
}

function capture(work: () => unknown): FrontMatterError {
  try {
    work();
  } catch (error) {
    return error as FrontMatterError;
  }
  throw new Error("expected a failure");
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_, item) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
