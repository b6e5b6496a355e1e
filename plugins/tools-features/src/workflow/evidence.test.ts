import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { filePathsIn, sectionOf } from "./evidence.ts";

/** The definition of a path as one regular expression: right, and quadratic on hostile text. */
function reference(text: string): readonly string[] {
  const pattern = /(?<=^|[\s`\-*])[.\w][\w./-]*\.\w{1,10}(?=$|[\s,:;()\]`])/g;
  return [...new Set([...text.matchAll(pattern)].map((match) => match[0]))];
}

describe("filePathsIn", () => {
  it.each([
    ["- src/main.go (added)", ["src/main.go"]],
    ["`src/a.ts`, `b.ts`: done", ["src/a.ts", "b.ts"]],
    ["*docs/x.md* a.b", ["a.b"]],
    ["-a.go", ["a.go"]],
    ["./run.sh .github/ci.yml", ["./run.sh", ".github/ci.yml"]],
    ["x a-b/c-d.tar.gz;", ["a-b/c-d.tar.gz"]],
    ["a.go a.go", ["a.go"]],
    ["a.go b.go", ["a.go", "b.go"]],
    ["(src/a.go)", []],
    ["https://example.test/a.html", []],
    ["one. Two", []],
    [".env", []],
    ["src/main", []],
    ["a.elevenchars", ["a.elevenchars"].slice(1)],
    ["a.tenletters", ["a.tenletters"]],
    ["файл.go", []],
    ["", []],
  ])("%j has %j", (text, paths) => {
    expect(filePathsIn(text)).toEqual(paths);
  });

  it("agrees with its definition on random text", () => {
    const unit = fc.constantFrom(..."ab._/-*`,:;()[] \n\té1");
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (text) => {
        expect(filePathsIn(text)).toEqual(reference(text));
      }),
      { numRuns: 5000 },
    );
  });

  it("takes linear time on text made to stall a search", () => {
    const before = process.cpuUsage();
    for (const unit of ["-.", "-a", "a.", "./", "-a.b-"]) filePathsIn(`(${unit.repeat(100_000)}!`);
    // The regular expression above takes minutes, of the processor and not only of the clock.
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(5);
  });
});

describe("sectionOf", () => {
  it("is the text up to the next heading of its level", () => {
    const evidence = "intro\n## Changes\n\n a \n### Sub\nb\n\n## Results\nc";
    expect(sectionOf(evidence, "Changes")).toBe("a \n### Sub\nb");
    expect(sectionOf(evidence, "Results")).toBe("c");
    expect(sectionOf(evidence, "Docs")).toBeUndefined();
  });

  it("compares without case, ignores indentation and Windows line ends, and lets the last one win", () => {
    expect(sectionOf("  ## CHANGES\r\none\r\n## x\n## changes\r\ntwo\r\n", "Changes")).toBe("two");
    expect(sectionOf("## Changes", "Changes")).toBe("");
  });

  it("wants a heading of that level and name", () => {
    expect(sectionOf("# Changes\nx", "Changes")).toBeUndefined();
    expect(sectionOf("### Changes\nx", "Changes")).toBeUndefined();
    expect(sectionOf("##Changes\nx", "Changes")).toBeUndefined();
    expect(sectionOf("## Changes made\nx", "Changes")).toBeUndefined();
  });
});
