import { PluginStatus } from "@orchestrator/protocol";
import { expect, it } from "vitest";
import { createStyle } from "../output/style.ts";
import { renderPlugins } from "./plugin-list.ts";

it("calls a plugin degraded whose callers are answered in its place, and says whom it owes what", () => {
  const openCircuits = [
    'no proper answer to the last 10 calls of "operator" (last: garbage)',
    'no proper answer to the last 12 calls of "tools.b" (last: No answer\u001b[2J)',
  ];
  const plugin = PluginStatus.fromPartial({ id: "tools.a", state: "ready", enabled: true, openCircuits });
  const [row = "", ...details] = renderPlugins([plugin], createStyle(false), undefined);
  expect(row).toMatch(/^tools\.a +degraded/);
  expect(details).toEqual([
    "",
    'tools.a: degraded: no proper answer to the last 10 calls of "operator" (last: garbage)',
    'tools.a: degraded: no proper answer to the last 12 calls of "tools.b" (last: No answer\\x1b[2J)',
  ]);
});
