import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkGeneratedCode, checkGeneratedConfig } from "./generated.ts";

/** A copy of what the generators read and write, so that a test can spoil it. */
let root: string;
const source = join(import.meta.dirname, "..", "..");
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "orchestrator-generated-"));
  for (const folder of ["tools", "packages/config", "packages/gen", "proto", "docs"]) {
    cpSync(join(source, folder), join(root, folder), {
      recursive: true,
      filter: (file) => !/node_modules|\.turbo|\.tools/.test(file),
    });
  }
  symlinkSync(join(source, "node_modules"), join(root, "node_modules"));
  symlinkSync(join(source, "packages", "config", "node_modules"), join(root, "packages", "config", "node_modules"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const spoil = (file: string, change: (text: string) => string) => {
  mkdirSync(join(root, file, ".."), { recursive: true });
  writeFileSync(join(root, file), change(readFileSync(join(root, file), "utf8")));
};

describe("generated files", () => {
  it("are up to date", async () => {
    expect(await checkGeneratedConfig({ root, files: [] })).toEqual([]);
    expect(await checkGeneratedCode({ root, files: [] })).toEqual([]);
  });

  it("a stale JSON Schema and a stale reference bite", async () => {
    spoil("packages/config/schema/plugins.schema.json", (text) => text.replace("listen_addr", "listen_address"));
    spoil("docs/configuration.md", (text) => text.replace("`listen_addr`", "`listen_address`"));
    expect(await checkGeneratedConfig({ root, files: [] })).toEqual([
      'packages/config/schema/plugins.schema.json:1: is stale; run "pnpm generate" and commit the result',
      'docs/configuration.md:1: is stale; run "pnpm generate" and commit the result',
    ]);
  });

  it("generated code that nobody generated bites", async () => {
    spoil("packages/gen/src/orchestra/plugin/v1/plugin_pb.ts", (text) => `${text}// by hand\n`);
    expect((await checkGeneratedCode({ root, files: [] })).join("\n")).toContain("plugin_pb.ts");
  });
});
