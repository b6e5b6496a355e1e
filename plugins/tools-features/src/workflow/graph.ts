/** Who depends on whom: feature id → the ids that it waits for. An id without an entry waits for nothing. */
export type DependencyGraph = ReadonlyMap<string, readonly string[]>;

/**
 * The shortest way from one feature to another along dependencies, both ends included.
 * A new dependency of A on B closes a cycle exactly where `dependencyPath(graph, B, A)` finds one.
 */
export function dependencyPath(graph: DependencyGraph, from: string, to: string): readonly string[] | undefined {
  const cameFrom = new Map<string, string | undefined>([[from, undefined]]);
  // A Map may grow while it is iterated: it is the queue and the record of what was seen in one.
  for (const [id] of cameFrom) {
    if (id === to) return trail(cameFrom, to);
    for (const next of graph.get(id) ?? []) if (!cameFrom.has(next)) cameFrom.set(next, id);
  }
  return undefined;
}

function trail(cameFrom: ReadonlyMap<string, string | undefined>, to: string): readonly string[] {
  const steps = [to];
  for (let id = cameFrom.get(to); id !== undefined; id = cameFrom.get(id)) steps.push(id);
  return steps.reverse();
}
