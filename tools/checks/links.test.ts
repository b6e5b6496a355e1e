import { describe, expect, it } from "vitest";
import { anchorsOf, checkLinks } from "./links.ts";
import { problemsIn } from "./scratch.ts";

describe("checkLinks", () => {
  const files = { "docs/b.md": "# The Title\n\n## Of `code` & more!\n", "src/x.ts": "" };

  it.each([
    "[b](b.md)",
    "[b](./b.md#the-title)",
    "[b](b.md#of-code--more)",
    "[x](../src/x.ts) and [folder](../src/) and [top](..)",
    "[out](https://example.com/nothing) [mail](mailto:a@example.com)",
    "[here](#own-heading)\n\n# Own heading",
    "`[code](nowhere.md)`",
    "```md\n[fenced](nowhere.md)\n```",
    "[ref][b]\n\n[b]: b.md",
  ])("%s is fine", async (text) => {
    expect(await problemsIn(checkLinks, { ...files, "docs/a.md": text })).toEqual([]);
  });

  it.each([
    ["[b](c.md)", '"c.md" leads nowhere'],
    ["[b](../../b.md)", '"../../b.md" leads nowhere'],
    ["![image](b.png)", '"b.png" leads nowhere'],
    ["[b](b.md#nothing)", '"b.md#nothing": no heading has this anchor'],
    ["[here](#nothing)", '"#nothing": no heading has this anchor'],
    ["[abs](/docs/b.md)", '"/docs/b.md" is not relative'],
    ["[b]: c.md", '"c.md" leads nowhere'],
    ['[titled](c.md "A title")', '"c.md" leads nowhere'],
    ["`code` then [b](c.md) and `more`", '"c.md" leads nowhere'],
  ])("%s bites", async (text, problem) => {
    expect(await problemsIn(checkLinks, { ...files, "docs/a.md": `\n\n${text}` })).toEqual([`docs/a.md:3: ${problem}`]);
  });

  it("repeated headings are counted", () => {
    expect([...anchorsOf("# A\n## A\n```\n# not one\n```\n## B_c-d [link](x.md)\n")]).toEqual([
      "a",
      "a-1",
      "b_c-d-link",
    ]);
  });
});
