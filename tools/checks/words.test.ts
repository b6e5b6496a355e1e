import { describe, expect, it } from "vitest";
import { problemsIn } from "./scratch.ts";
import { checkWords } from "./words.ts";

/** Joined here, so that this file holds none of them. */
const join = (...parts: string[]) => parts.join("");

describe("checkWords", () => {
  it.each([
    ["a registry host", join("https://regis", "try.npm", "js.org/yaml")],
    ["a module proxy", join("GOPROXY=https://pro", "xy.gola", "ng.org,direct")],
    ["a crate index", join("sparse+https://ind", "ex.crate", "s.io/")],
    ["a mirror", join("https://mirro", "r.example.com/npm")],
    ["a machine's folder", join("cd /wor", "k/main")],
    ["a quoted machine folder", join('"/far', 'm/x"')],
    ["a home", join("/hom", "e/jane/orchestra")],
    ["a Mac home", join("/User", "s/jane")],
    ["root's home", join("/roo", "t/.npm")],
    ["a paper", join("see shared/spe", "cs/x.md")],
  ])("%s bites", async (_what, text) => {
    const found = await problemsIn(checkWords, { "docs/a.md": `fine\n${text}\n` });
    expect(found).not.toEqual([]);
    for (const problem of found) expect(problem).toMatch(/^docs\/a\.md:2: /);
  });

  it.each([
    "https://github.com/org/project",
    "import from the registry",
    "~/work/main and ./work/main and a/root/b",
    "/home/ada/.orchestra",
    "framework/main",
    "https://spec.modelcontextprotocol.io",
  ])("%s is fine", async (text) => {
    expect(await problemsIn(checkWords, { "docs/a.md": text })).toEqual([]);
  });

  it("a lock file may name hosts in its own way, but records no download addresses", async () => {
    const lock = join("tarball: https:", "//regis", "try.npm", "js.org/x.tgz");
    expect(await problemsIn(checkWords, { "pnpm-lock.yaml": lock })).toEqual([
      "pnpm-lock.yaml:1: records addresses of downloads",
    ]);
  });

  it("binary files are left alone", async () => {
    expect(await problemsIn(checkWords, { "a.dat": join("\0/wor", "k/x") })).toEqual([]);
  });
});
