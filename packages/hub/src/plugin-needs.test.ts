import { matchesName } from "@orchestrator/config";
import { PluginManifest } from "@orchestrator/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkNeeds, limitNeeds, printedNeeds } from "./plugin-needs.ts";
import { NO_NEEDS } from "./policy.ts";

const tools = (list: readonly string[]) => ({ ...NO_NEEDS, tools: list });

describe("limitNeeds", () => {
  it("keeps what lies within the ceiling and names the rest", () => {
    const asked = {
      storage: ["markdown"],
      tools: ["get_a", "get_*", "*", "b"],
      ai: ["x"],
      events: ["t"],
      http: ["/a"],
    };
    const ceiling = { storage: ["*"], tools: ["get_*", "b"], ai: [], events: [], http: ["/b"] };
    expect(limitNeeds(asked, ceiling)).toEqual({
      needs: { storage: ["markdown"], tools: ["get_a", "get_*", "b"], ai: [], events: ["t"], http: [] },
      refused: ["needs_tools *", "needs_ai x", "needs_http /a"],
    });
  });

  it("never grants a pattern that reaches beyond the ceiling", () => {
    const name = fc.string({ unit: fc.constantFrom("a", "b", "*"), minLength: 1, maxLength: 6 });
    const plain = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 });
    fc.assert(
      fc.property(name, fc.array(name, { maxLength: 3 }), plain, (asked, ceiling, used) => {
        const { needs } = limitNeeds(tools([asked]), tools(ceiling));
        const isGranted = needs.tools.some((pattern) => matchesName(pattern, used));
        expect(isGranted && !ceiling.some((pattern) => matchesName(pattern, used))).toBe(false);
      }),
    );
  });
});

it("printedNeeds takes a list that is not printed for none, and one that is null for an empty one", () => {
  const manifest = PluginManifest.fromPartial({ id: "a", needsTools: ["t"] });
  expect(printedNeeds('{"id":"a","needs_tools":["t"],"needs_ai":null}', manifest)).toEqual({ tools: ["t"], ai: [] });
});

it("checkNeeds bounds the work of checking a name, not the number of plain names", () => {
  const check = (more: object) => () => checkNeeds(PluginManifest.fromPartial({ id: "a", ...more }));
  expect(check({ needsTools: Array.from({ length: 4_096 }, (_, n) => `tool_${n}`) })).not.toThrow();
  expect(check({ needsTools: ["*"], needsHttp: ["/files*"] })).not.toThrow();
  expect(check({ needsAi: Array(5).fill(`*${"a".repeat(250)}`) })).toThrow("needs_ai");
  expect(check({ needsEvents: Array(513).fill("t") })).toThrow("needs_events");
});
