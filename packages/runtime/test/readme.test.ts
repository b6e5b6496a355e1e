import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { startFixture } from "./support/program.ts";
import "./fixtures/readme-test.ts";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

it("shows the files that the tests run", () => {
  const blocks = [...read("../README.md").matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]);
  expect(blocks).toEqual([read("fixtures/readme-plugin.ts"), read("fixtures/readme-test.ts")]);
});

it.each([
  ["Node", false],
  ["Deno", true],
])("shows a plugin that runs under %s", async (_name, deno) => {
  await using program = startFixture("readme-plugin.ts", ["--manifest"], { deno });
  expect(await program.exited).toBe(0);
  expect(JSON.parse(program.stdout)).toMatchObject({ id: "tools.notes", provides_tools: ["add_note", "read_notes"] });
});
