import { describe, expect, it } from "vitest";
import { importsOf } from "./import-list.ts";
import { checkImports } from "./imports.ts";
import { problemsIn } from "./scratch.ts";

const manifest = (name: string, dependencies: string[] = [], devDependencies: string[] = []) => {
  const table = (names: string[]) => Object.fromEntries(names.map((one) => [one, "workspace:*"]));
  return JSON.stringify({ name, dependencies: table(dependencies), devDependencies: table(devDependencies) });
};
/** Not written out: the check reads this file too. */
const dynamic = (name: string) => `const x = await ${"import"}("${name}");`;
const base = {
  "package.json": JSON.stringify({ devDependencies: { vitest: "1" } }),
  "packages/gen/package.json": manifest("@o/gen"),
  "packages/protocol/package.json": manifest("@o/protocol", ["@o/gen"]),
  "packages/transport/package.json": manifest("@o/transport", ["@o/protocol"]),
  "packages/hub/package.json": manifest("@o/hub", ["@o/transport", "yaml"], ["@o/identity"]),
  "packages/identity/package.json": manifest("@o/identity", ["@o/protocol"]),
  "packages/runtime/package.json": manifest("@o/runtime", ["@o/transport"]),
};
const problems = (files: Record<string, string>) => problemsIn(checkImports, { ...base, ...files });

describe("checkImports", () => {
  it("has nothing to say where all is well", async () => {
    expect(
      await problems({
        "packages/hub/src/a.ts":
          'import { b } from "./b.ts";\nimport "node:fs";\nimport { parse } from "yaml";\nimport { c } from "@o/transport";\n',
        "packages/hub/src/a.test.ts":
          'import { it } from "vitest";\nimport { d } from "@o/identity/internal";\nimport { e } from "@o/hub";\n',
        "packages/transport/src/conformance/x.ts": 'import { it } from "vitest";\n',
        "tools/package.json": manifest("@o/tools"),
        "tools/x.ts": 'import { f } from "../packages/hub/src/a.ts";\n',
      }),
    ).toEqual([]);
  });

  it.each([
    [
      "packages/transport/src/a.ts",
      'import { hub } from "@o/hub";',
      '"@o/hub" is not in the dependencies of packages/transport/package.json',
    ],
    [
      "packages/hub/src/a.ts",
      'import { x } from "lodash";',
      '"lodash" is not in the dependencies of packages/hub/package.json',
    ],
    [
      "packages/hub/src/a.ts",
      'import { x } from "@o/identity";',
      '"@o/identity" is not in the dependencies of packages/hub/package.json',
    ],
    [
      "packages/hub/src/a.ts",
      'import { it } from "vitest";',
      '"vitest" is not in the dependencies of packages/hub/package.json',
    ],
    ["packages/hub/src/a.ts", dynamic("lodash"), '"lodash" is not in the dependencies of packages/hub/package.json'],
    [
      "packages/hub/src/a.ts",
      'export { x } from "../../runtime/src/x.ts";',
      '"../../runtime/src/x.ts" leaves the package; import it by its name',
    ],
    [
      "packages/hub/src/a.test.ts",
      'import { x } from "../../hub-2/src/x.ts";',
      '"../../hub-2/src/x.ts" leaves the package; import it by its name',
    ],
    [
      "packages/hub/test/vitest.config.ts",
      'import shared from "../../../vitest.config.ts";',
      '"../../../vitest.config.ts" leaves the package; import it by its name',
    ],
    ["packages/hub/src/a.ts", 'import fs from "fs";', 'write "node:fs"'],
    ["packages/hub/src/a.ts", 'import { x } from "@o/hub";', "a package imports its own files by their path"],
    ["packages/protocol/src/a.ts", 'import fs from "node:fs";', '"node:fs" in a pure package'],
  ])("%s: %s", async (file, statement, expected) => {
    expect(await problems({ [file]: `// first line\n${statement}\n` })).toEqual([`${file}:2: ${expected}`]);
  });

  it("lets a package's tests be configured as all are", async () => {
    const statement = 'export { default } from "../../vitest.config.ts";\n';
    expect(await problems({ "packages/hub/vitest.config.ts": statement })).toEqual([]);
  });

  it("imports point down, also where package.json allows more", async () => {
    expect(
      await problems({
        "packages/transport/package.json": manifest("@o/transport", ["@o/protocol", "@o/identity"]),
        "packages/transport/src/a.ts": 'import { x } from "@o/identity";',
      }),
    ).toEqual([
      'packages/transport/src/a.ts:1: "@o/identity": packages/identity stands in layer 3, packages/transport in layer 2: imports point down',
      'packages/transport/package.json:1: dependency "@o/identity": packages/identity stands in layer 3, packages/transport in layer 2: imports point down',
    ]);
  });

  it.each([
    ["hub", "@o/runtime", "the side of the hub and that of the plugins do not import each other"],
    ["hub", "@o/gen", "only packages/protocol imports the generated code"],
    ["identity", "@o/tools", "nothing imports tools"],
    ["new", "@o/protocol", "packages/new has no place in tools/checks/layers.ts"],
  ])("%s may not depend on %s", async (name, dependency, reason) => {
    const files = {
      [`packages/${name}/package.json`]: manifest(`@o/${name}`, [dependency]),
      "tools/package.json": manifest("@o/tools"),
    };
    expect(await problems(files)).toEqual([`packages/${name}/package.json:1: dependency "${dependency}": ${reason}`]);
  });

  it("finds a circle, also through devDependencies", async () => {
    expect(
      await problems({ "packages/protocol/package.json": manifest("@o/protocol", ["@o/gen"], ["@o/identity"]) }),
    ).toEqual(["packages/protocol/package.json:1: circle: @o/protocol → @o/identity → @o/protocol"]);
  });
});

describe("importsOf", () => {
  it("reads every form, over several lines too, and nothing in comments, strings or templates", () => {
    const text = [
      'import a from "a";',
      "import {",
      "  type b,",
      '} from "b";',
      'export * from "c";',
      'export { d } from "d";',
      'import "e";',
      dynamic("f"),
      '// import x from "x1";',
      ' * import x from "x2";',
      "const x = `",
      '  import x from "x3";`;',
      'export const y = "from x4";',
      "import type G from 'g';",
    ].join("\n");
    expect(importsOf(text).map(({ specifier, line }) => `${specifier}:${line}`)).toEqual([
      "a:1",
      "b:2",
      "c:5",
      "d:6",
      "e:7",
      "g:14",
      "f:8",
    ]);
  });
});
