import { ToolError } from "@orchestrator/runtime";
import { unique } from "../records/fields.ts";
import { mapConcurrent } from "../store/concurrent.ts";
import type { Workspace } from "../store/workspace.ts";
import { dependencyPath } from "../workflow/graph.ts";

/** "`id` cannot be done before `dependsOn` is". */
export interface Dependency {
  readonly slug: string;
  readonly id: string;
  readonly dependsOn: string;
}

const MAX_READS = 32;

/** Changes to the dependencies of one project take turns under this key. */
export function graphTurn(slug: string): string {
  return `graph ${slug}`;
}

/**
 * Records a dependency at both ends. The end that counts, `depends_on`, is written first and taken back if the other
 * one cannot be written.
 * @returns false where it was there already (a missing other end is then mended)
 * @throws {ToolError} `validation_error` if it would close a cycle, `not_found`, `storage_error`
 */
export function addDependency(workspace: Workspace, dependency: Dependency): Promise<boolean> {
  const { slug, id, dependsOn } = dependency;
  const { features } = workspace;
  if (id === dependsOn) throw new ToolError("validation_error", `${id} cannot depend on itself`);
  return workspace.inTurn(graphTurn(slug), async () => {
    const [{ feature }] = await Promise.all([features.get(slug, id), features.get(slug, dependsOn)]);
    const isNew = !feature.dependsOn.includes(dependsOn);
    if (isNew) {
      await refuseCycle(workspace, dependency);
      await features.update(slug, id, ({ feature: current }) => ({
        fields: { dependsOn: unique([...current.dependsOn, dependsOn]) },
      }));
    }
    try {
      // Turns bind this process alone. Another one may have added the opposite way at the same moment; both write
      // before they look again, so at least one of the two sees the cycle and withdraws.
      if (isNew) await refuseCycle(workspace, dependency);
      await features.update(slug, dependsOn, ({ feature: current }) =>
        current.blocks.includes(id) ? undefined : { fields: { blocks: [...current.blocks, id] } },
      );
    } catch (error) {
      // If even that fails, the first error is the one worth telling.
      if (isNew) await dropDependsOn(workspace, dependency).catch(() => undefined);
      throw error;
    }
    return isNew;
  });
}

/** Removes a dependency at both ends, also where only one of them, or neither, is there. */
export function removeDependency(workspace: Workspace, dependency: Dependency): Promise<void> {
  const { slug, id, dependsOn } = dependency;
  return workspace.inTurn(graphTurn(slug), async () => {
    await dropDependsOn(workspace, dependency);
    await workspace.features.updateIfPresent(slug, dependsOn, ({ feature }) =>
      feature.blocks.includes(id) ? { fields: { blocks: feature.blocks.filter((other) => other !== id) } } : undefined,
    );
  });
}

async function dropDependsOn(workspace: Workspace, { slug, id, dependsOn }: Dependency): Promise<void> {
  await workspace.features.update(slug, id, ({ feature }) =>
    feature.dependsOn.includes(dependsOn)
      ? { fields: { dependsOn: feature.dependsOn.filter((other) => other !== dependsOn) } }
      : undefined,
  );
}

async function refuseCycle(workspace: Workspace, { slug, id, dependsOn }: Dependency): Promise<void> {
  const path = dependencyPath(await dependenciesFrom(workspace, slug, dependsOn), dependsOn, id);
  if (path === undefined) return;
  throw new ToolError(
    "validation_error",
    `${id} cannot depend on ${dependsOn}: that closes the cycle ${[id, ...path].join(" -> ")}`,
  );
}

/** Everything that a feature waits for, directly or not; reads only those, one level after the other. */
async function dependenciesFrom(
  workspace: Workspace,
  slug: string,
  root: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const graph = new Map<string, readonly string[]>();
  for (let level: readonly string[] = [root]; level.length > 0; ) {
    const records = await mapConcurrent(level, MAX_READS, (id) => workspace.features.find(slug, id));
    for (const [index, id] of level.entries()) graph.set(id, records[index]?.feature.dependsOn ?? []);
    level = unique(level.flatMap((id) => graph.get(id) ?? [])).filter((id) => !graph.has(id));
  }
  return graph;
}
