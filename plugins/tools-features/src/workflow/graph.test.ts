import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dependencyPath } from "./graph.ts";

const node = fc.constantFrom(..."ABCDEFG");
const graphs = fc.dictionary(node, fc.uniqueArray(node)).map((edges) => new Map(Object.entries(edges)));

/** Whether `to` can be reached, by trying all ways of up to seven steps. */
function reachable(graph: ReadonlyMap<string, readonly string[]>, from: string, to: string, steps = 7): boolean {
  if (from === to) return true;
  return steps > 0 && (graph.get(from) ?? []).some((next) => reachable(graph, next, to, steps - 1));
}

describe("dependencyPath", () => {
  it("names the way, both ends included", () => {
    const graph = new Map([
      ["A", ["X", "B"]],
      ["B", ["C"]],
    ]);
    expect(dependencyPath(graph, "A", "C")).toEqual(["A", "B", "C"]);
    expect(dependencyPath(graph, "C", "A")).toBeUndefined();
    expect(dependencyPath(graph, "A", "A")).toEqual(["A"]);
  });

  it("finds a way exactly where there is one, along edges that exist, even through cycles", () => {
    fc.assert(
      fc.property(graphs, node, node, (graph, from, to) => {
        const path = dependencyPath(graph, from, to);
        expect(path !== undefined).toBe(reachable(graph, from, to));
        for (const [index, id] of (path ?? []).slice(1).entries()) expect(graph.get(path![index]!)).toContain(id);
        if (path !== undefined) expect([path[0], path.at(-1)]).toEqual([from, to]);
      }),
      { numRuns: 500 },
    );
  });
});
