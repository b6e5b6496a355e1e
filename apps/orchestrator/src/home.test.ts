import { userInfo } from "node:os";
import { isAbsolute } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { homeDirectory, isDirectory } from "./home.ts";

function withHome(home: string): string | undefined {
  const before = process.env["HOME"];
  onTestFinished(() => {
    process.env["HOME"] = before;
  });
  process.env["HOME"] = home;
  return homeDirectory();
}

describe("the home directory", () => {
  it("is what HOME says", () => {
    expect(withHome("/somewhere/else")).toBe("/somewhere/else");
  });

  it.each(["", ".", "relative/home"])("is the system's where HOME is %j, for whatever comes later, too", (home) => {
    const found = withHome(home);
    expect(found).toBe(userInfo().homedir);
    expect(isAbsolute(found!)).toBe(true);
    expect(process.env["HOME"]).toBeUndefined();
  });

  it("is known to be missing", () => {
    expect([isDirectory("/"), isDirectory("/no such directory"), isDirectory(import.meta.filename)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
