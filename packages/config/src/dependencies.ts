import { didYouMean } from "./suggest.ts";

/** One plugin as the check sees it. */
export interface DependencyNode {
  readonly id: string;
  readonly enabled: boolean;
  readonly dependsOn: readonly string[];
}

export interface DependencyProblem {
  readonly severity: "error" | "warning";
  readonly id: string;
  readonly message: string;
  readonly hint: string;
}

/** Ids that nobody has, plugins that are switched off, and circles; each circle is named once, from its first member in file order. */
export function dependencyProblems(nodes: readonly DependencyNode[]): DependencyProblem[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const problems: DependencyProblem[] = [];
  for (const node of nodes) {
    for (const wanted of node.dependsOn) {
      const target = byId.get(wanted);
      if (target === undefined) {
        const hint = didYouMean(wanted, byId.keys()) || "depends_on names the `id` of another entry";
        problems.push({
          severity: "error",
          id: node.id,
          message: `"${node.id}" depends on "${wanted}", which is not in this file`,
          hint,
        });
      } else if (node.enabled && !target.enabled) {
        const message = `"${node.id}" depends on "${wanted}", which is not enabled, so it cannot start`;
        problems.push({ severity: "warning", id: node.id, message, hint: "" });
      }
    }
  }
  for (const circle of circles(nodes, byId)) {
    const message = `Circle in depends_on: ${[...circle, circle[0]].map((id) => `"${id}"`).join(" → ")}`;
    problems.push({ severity: "error", id: circle[0]!, message, hint: "" });
  }
  return problems;
}

/** Depth first with a stack of its own: a chain of ten thousand plugins must not overflow that of the machine. */
function circles(nodes: readonly DependencyNode[], byId: ReadonlyMap<string, DependencyNode>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  for (const start of nodes) {
    const path: { id: string; next: number }[] = [{ id: start.id, next: 0 }];
    const onPath = new Set([start.id]);
    while (!done.has(start.id)) {
      const top = path[path.length - 1]!;
      const wanted = byId.get(top.id)?.dependsOn[top.next];
      top.next += 1;
      if (wanted === undefined) {
        done.add(top.id);
        onPath.delete(top.id);
        path.pop();
      } else if (onPath.has(wanted)) {
        found.push(path.slice(path.findIndex((step) => step.id === wanted)).map((step) => step.id));
      } else if (!done.has(wanted) && byId.has(wanted)) {
        path.push({ id: wanted, next: 0 });
        onPath.add(wanted);
      }
    }
  }
  return found;
}
