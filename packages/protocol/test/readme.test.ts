import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { decodeRequest } from "../src/index.ts";
import { forward, question } from "./readme-example.ts";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

it("README.md shows an example that works", () => {
  expect(read("../README.md")).toContain("```ts\n" + read("./readme-example.ts") + "```");
  const forwarded = decodeRequest(forward(question, "tools.real", (tool) => tool === "echo"));
  expect(forwarded.request).toMatchObject({ value: { toolName: "echo", callerPlugin: "tools.real" } });
  expect(forwarded.context).toMatchObject({ caller: "tools.real", timeoutMs: 30_000 });
  expect(() => forward(question, "tools.real", () => false)).toThrow('"tools.real" may not call "echo"');
});
