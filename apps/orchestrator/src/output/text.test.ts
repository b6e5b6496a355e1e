import { describe, expect, it } from "vitest";
import { parseDuration } from "../duration.ts";
import { createStyle } from "./style.ts";
import { cut, printable, size, span, table, width } from "./text.ts";

const red = createStyle(true).red;

describe("table", () => {
  it("puts columns under each other, colours not counted", () => {
    const lines = table([
      [red("a"), "1"],
      ["bbb", "22"],
    ]);
    expect(lines).toEqual([`${red("a")}    1`, "bbb  22"]);
  });

  it("cuts to the terminal", () => {
    expect(table([["a", "long text"]], { columns: 6 })).toEqual(["a  lo…"]);
    expect(width(table([["a", red("long text")]], { columns: 6 })[0]!)).toBe(6);
    expect(cut("short", undefined)).toBe("short");
  });
});

it("makes control characters visible, and keeps what is harmless", () => {
  expect(printable("a\tb\u001b]0;title\u0007 \u202eevil ü 漢")).toBe("a\tb\\x1b]0;title\\x07 \\x202eevil ü 漢");
  expect(printable("a\r\nb\rc")).toBe("a\\nb\\x0dc");
  expect(printable("a\r\nb", { multiline: true })).toBe("a\nb");
});

it.each([
  [0.123, "0.12 ms"],
  [12.3, "12 ms"],
  [4_200, "4.2 s"],
  [61_000, "1 min"],
  [7_300_000, "2 h"],
  [90_000_000, "1 day"],
])("%d ms is %s", (ms, text) => expect(span(ms)).toBe(text));

it.each([
  [12, "12 B"],
  [2048, "2.0 KiB"],
  [15_000_000, "14 MiB"],
])("%d bytes are %s", (bytes, text) => expect(size(bytes)).toBe(text));

it("reads times, and refuses what is none", () => {
  expect(["500ms", "30", "1.5s", "5m", "2 h"].map(parseDuration)).toEqual([500, 30_000, 1_500, 300_000, 7_200_000]);
  for (const text of ["", "0", "-1s", "soon", "2d", "48h"])
    expect(() => parseDuration(text)).toThrow(/Expected a time/);
});
