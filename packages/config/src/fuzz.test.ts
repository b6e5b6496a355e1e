import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseConfig } from "./index.ts";

/** Words and marks that mean something to the parser or to the reader, so that random texts get past the first line. */
const pieces = [
  "plugins:",
  "tcp:",
  "policy:",
  "env:",
  "args:",
  "alias:",
  "- ",
  "id: ",
  "binary: ",
  "depends_on: [a]",
  "<<: ",
  "&x ",
  "*x",
  "a",
  "[",
  "]",
  "{",
  "}",
  ":",
  ",",
  "\n",
  "\n  ",
  "\n    ",
  "? ",
  "| \n",
  "> ",
  "'",
  '"',
  "#",
  "---\n",
  "...\n",
  "!!binary ",
  "!t ",
  "%YAML 1.1\n",
  "\t",
  "~",
  "__proto__",
  "constructor",
  "1.0",
  "\u0000",
  "\ud800",
  "é",
]; // prettier-ignore

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.array(fc.constantFrom(...pieces), { maxLength: 80 }).map((parts) => parts.join("")),
);

const base = { path: "/c/plugins.yaml", cwd: "/run", home: "/h" };

describe("arbitrary text", () => {
  it("never throws, and gives either a configuration or an error", () => {
    fc.assert(
      fc.property(text, (input) => {
        const { config, diagnostics } = parseConfig(input, base);
        const failed = diagnostics.some((finding) => finding.severity === "error");
        expect(config === undefined).toBe(failed);
        for (const finding of diagnostics) expect(finding.message).not.toContain("\n");
      }),
      { numRuns: 2000 },
    );
  });

  const many = (piece: string, bytes = 1024 * 1024) => piece.repeat(Math.floor(bytes / piece.length));
  /** Nine levels of nine aliases each stand for 9^9 values. */
  const laughs = [
    "a0: &a0 [x]",
    ...Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(",")}]`),
  ];
  const merges = [
    "m0: &m0 {id: x}",
    ...Array.from({ length: 15 }, (_, i) => `m${i + 1}: &m${i + 1} {<<: [${Array(9).fill(`*m${i}`).join(",")}]}`),
  ];

  it.each([
    ["sequences in sequences", many("[", 60_000)],
    ["maps in maps", many("{a: ", 60_000)],
    ["dashes", many("- ", 60_000)],
    ["complex keys", many("? ", 60_000)],
    ["more than a megabyte", many("#") + "\nplugins: []\n"],
    ["aliases of aliases in place of a list", `${laughs.join("\n")}\nplugins: *a9`],
    ["merge keys of merge keys", `${merges.join("\n")}\nplugins: [*m15]`],
    ["an anchor inside itself", "plugins: &p [*p]"],
    ["a merge of itself", "plugins: [&p {<<: *p, id: a}]"],
    [
      "one large entry under many aliases",
      `x-p: &p {id: a, binary: b, args: [${many("a,", 20_000)}]}\nplugins: [${many("*p,", 3000)}]`,
    ],
    // One that was not would take hours.
  ])("%s: refused at once", (_name, input) => {
    const { config, diagnostics } = parseConfig(input, base);
    expect(config).toBeUndefined();
    expect(diagnostics.length).toBeLessThanOrEqual(100);
  });

  it("many anchors and aliases cost one pass", () => {
    const anchors = Array.from({ length: 5000 }, (_, i) => `  k${i}: &k${i} v`).join("\n");
    const uses = Array.from({ length: 5000 }, (_, i) => `*k${i}`).join(", ");
    const { config } = parseConfig(`x-all:\n${anchors}\nplugins: [{id: a, binary: a, args: [${uses}]}]`, base);
    expect(config?.plugins[0]?.args).toHaveLength(5000);
  });
});
