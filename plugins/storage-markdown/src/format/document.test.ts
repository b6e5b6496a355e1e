import { describe, expect, it } from "vitest";
import { decodeDocument, encodeDocument } from "./document.ts";
import type { JsonObject } from "./json.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (text: string): { metadata: JsonObject | undefined; content: string } => {
  const { metadata, content } = decodeDocument(bytes(text));
  return { metadata, content: new TextDecoder("utf-8", { ignoreBOM: true }).decode(content) };
};
const write = (metadata: JsonObject | undefined, content: string): string =>
  new TextDecoder().decode(encodeDocument({ metadata, content: bytes(content) }));

describe("decodeDocument", () => {
  it.each([
    ["---\na: 1\n---\n\n# T\n", { a: 1 }, "# T\n"],
    ["---\na: 1\n---\n# T\n", { a: 1 }, "# T\n"],
    ["---\na: 1\n---\n\n\n# T", { a: 1 }, "\n# T"],
    ["---\r\na: 1\r\n---\r\n\r\n# T\r\n", { a: 1 }, "# T\r\n"],
    ["\ufeff---\na: 1\n---\nx", { a: 1 }, "x"],
    ["---\na: |-\n    ---\n    x\n---\n", { a: "---\nx" }, ""],
    ["---\na: 1\n---", { a: 1 }, ""],
    ["---\n---\nx", {}, "x"],
    ["", undefined, ""],
    ["# T\n---\na: 1\n---\n", undefined, "# T\n---\na: 1\n---\n"],
    ["--- \na: 1\n---\n", undefined, "--- \na: 1\n---\n"],
    ["----\n", undefined, "----\n"],
    ["\n---\na: 1\n---\n", undefined, "\n---\na: 1\n---\n"],
  ])("takes %j apart", (text, metadata, content) => {
    expect(read(text)).toEqual({ metadata, content });
  });

  it.each([
    ["---\na: 1\n", /no closing/],
    ["---", /no closing/],
    ["---\na: 1\n--- \n", /no closing/],
    ["---\na: [\n---\n", /.+/],
    ["---\n- a\n---\n", /not a map/],
  ])("refuses %j", (text, reason) => {
    expect(() => read(text)).toThrow(reason);
  });

  it("refuses front matter that is not UTF-8, and keeps content that is not", () => {
    const invalid = Uint8Array.of(0xff, 0xfe, 0x80);
    expect(() => decodeDocument(Buffer.concat([bytes("---\na: "), invalid, bytes("\n---\n")]))).toThrow(/UTF-8/);
    const { content } = decodeDocument(Buffer.concat([bytes("---\na: 1\n---\n\n"), invalid]));
    expect([...content]).toEqual([...invalid]);
  });
});

describe("encodeDocument", () => {
  it.each([
    [{ a: 1 }, "# T\n", "---\na: 1\n---\n\n# T\n"],
    [{ a: 1 }, "", "---\na: 1\n---\n\n"],
    [{}, "# T\n", "# T\n"],
    [undefined, "# T\n", "# T\n"],
    [undefined, "---\na: 1\n---\nbody", "---\na: 1\n---\nbody"],
    [undefined, "---\nno front matter\n", "---\n---\n\n---\nno front matter\n"],
    [{}, "---\n- a\n---\n", "---\n---\n\n---\n- a\n---\n"],
  ])("writes %j and %j", (metadata, content, text) => {
    expect(write(metadata, content)).toBe(text);
  });

  it("reads content back exactly, also where it looks like a fence", () => {
    for (const content of ["---\nno front matter\n", "\n\nx", "---\n", "\r\n"]) {
      expect(read(write({ a: 1 }, content)).content).toBe(content);
      expect(read(write(undefined, content)).content).toBe(content);
    }
  });

  it("refuses what no reader would get back", () => {
    let deep: JsonObject = {};
    for (let level = 0; level < 30; level++) deep = { deep };
    expect(() => write(deep, "")).toThrow(/deeper than 30/);
    expect(() => write({ a: "x".repeat(1024 * 1024) }, "")).toThrow(/1048576 at most/);
  });
});
