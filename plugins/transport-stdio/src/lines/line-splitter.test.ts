import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineSplitter } from "./line-splitter.ts";

function split(chunks: readonly (string | Uint8Array)[], maxBytes = 1_000): string[] {
  const seen: string[] = [];
  const splitter = new LineSplitter(maxBytes, {
    line: (text) => seen.push(text),
    unreadable: (reason) => seen.push(`! ${reason}`),
  });
  for (const chunk of chunks) splitter.write(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk);
  splitter.end();
  return seen;
}

describe("LineSplitter", () => {
  it.each<[string, (string | Uint8Array)[], string[]]>([
    ["lines", ["a\nb\n"], ["a", "b"]],
    ["a line in pieces", ["a", "b", "c\nd", "\n"], ["abc", "d"]],
    ["a last line without a break", ["a\nb"], ["a", "b"]],
    ["carriage returns", ['{"a":1}\r\n{}\r\n'], ['{"a":1}\r', "{}\r"]],
    ["blank lines", ["\n\r\n  \n\t\na\n"], ["a"]],
    ["a byte order mark", ["\ufeffa\n\ufeffb\n"], ["a", "b"]],
    ["nothing", [], []],
    ["a character cut in two", [new Uint8Array([0xc3]), new Uint8Array([0xa9, 0x0a])], ["é"]],
    ["bytes that are no text", [new Uint8Array([0xff, 0x0a]), "a\n"], ["! The line is not UTF-8", "a"]],
    ["half a character at the end", [new Uint8Array([0xc3])], ["! The line is not UTF-8"]],
  ])("reads %s", (_what, chunks, expected) => {
    expect(split(chunks)).toEqual(expected);
  });

  it("throws one long line away and reads on", () => {
    const long = "x".repeat(11);
    const tooLong = "! The line is longer than 10 bytes";
    expect(split(["1234567890\n"], 10)).toEqual(["1234567890"]);
    expect(split([`${long}\nb\n`], 10)).toEqual([tooLong, "b"]);
    expect(split([long, long, long, "\nb"], 10)).toEqual([tooLong, "b"]);
    expect(split(["12345", "67890", "1", "\nb"], 10)).toEqual([tooLong, "b"]);
    expect(split([`a\n${long}`], 10)).toEqual(["a", tooLong]);
    expect(split([`${long}\n${long}\n`], 10)).toEqual([tooLong, tooLong]);
  });

  it("holds no more than the limit, however long the line", async () => {
    const reasons: string[] = [];
    const splitter = new LineSplitter(1 << 20, { line: () => {}, unreadable: (reason) => reasons.push(reason) });
    const chunk = new Uint8Array(1 << 16).fill(0x61);
    // What is not collected yet is not held.
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    setFlagsFromString("--no-expose-gc");
    const held = () => {
      collect();
      return process.memoryUsage().arrayBuffers;
    };
    const before = held();
    // 256 MiB in all; every chunk is memory of its own, as from a pipe, so whatever is kept would show.
    for (let i = 0; i < 4096; i++) splitter.write(chunk.slice());
    expect(reasons).toHaveLength(1);
    // What is collected is given back a little later, by another thread.
    await expect.poll(() => held() - before).toBeLessThan(2 << 20);
    splitter.end();
  });

  it("gives the same lines however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom("a", "é", "€", "😀", "\r", "\0", "\u2028") })),
        fc.array(fc.nat(20)),
        (lines, cuts) => {
          const clean = lines
            .map((line) => line.toWellFormed().replaceAll(/[\n\ufeff]/g, ""))
            .filter((line) => line.trim() !== "");
          const bytes = new TextEncoder().encode(clean.map((line) => `${line}\n`).join(""));
          const chunks: Uint8Array[] = [];
          let at = 0;
          for (const cut of cuts) {
            chunks.push(bytes.subarray(at, at + cut));
            at += cut;
          }
          chunks.push(bytes.subarray(at));
          expect(split(chunks)).toEqual(clean);
        },
      ),
    );
  });
});
