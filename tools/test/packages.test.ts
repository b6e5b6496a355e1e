import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { selectPackages, testedPackages } from "./packages.ts";

const all = testedPackages(join(import.meta.dirname, "..", ".."));

describe("selectPackages", () => {
  it.each(["protocol", "@orchestrator/protocol", "packages/protocol", "packages/protocol/"])(
    "finds a package as %s",
    (name) => {
      expect(selectPackages(all, [name])).toMatchObject({
        selected: [{ directory: "packages/protocol" }],
        unknown: [],
      });
    },
  );

  it("takes everything where nothing is named, apps, plugins and tools too", () => {
    const { selected } = selectPackages(all, []);
    expect(selected.map((one) => one.directory)).toEqual(
      expect.arrayContaining(["apps/orchestrator", "packages/hub", "plugins/tools-features", "tools"]),
    );
  });

  it("names what nobody is called", () => {
    expect(selectPackages(all, ["protocol", "protcol"]).unknown).toEqual(["protcol"]);
  });
});
