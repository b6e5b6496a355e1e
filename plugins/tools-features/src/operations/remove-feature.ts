import { ToolError } from "@orchestrator/runtime";
import { withoutClaim, withoutLock } from "../records/locks.ts";
import { paths } from "../records/paths.ts";
import type { UnreadableRecord } from "../store/documents.ts";
import type { Workspace } from "../store/workspace.ts";
import { graphTurn } from "./dependencies.ts";

/**
 * Deletes a feature and what refers to it: its id in other features, and its lock. References go first: a deletion
 * that fails half-way can be repeated, and leaves nothing that points nowhere.
 * @returns the features that referred to it, and those that could not be looked at
 */
export async function removeFeature(
  workspace: Workspace,
  slug: string,
  id: string,
): Promise<{ readonly referring: readonly string[]; readonly unreadable: readonly UnreadableRecord[] }> {
  return workspace.inTurn(graphTurn(slug), async () => {
    const list = await workspace.features.list(slug);
    // Not merely read: a feature that cannot be read can still be deleted.
    const isListed = list.records.some((record) => record.feature.id === id);
    const isDamaged = list.unreadable.some((record) => record.path === paths.feature(slug, id));
    if (!isListed && !isDamaged) throw missing(slug, id);

    const without = (ids: readonly string[]) => ids.filter((other) => other !== id);
    const refers = (ids: readonly string[]) => ids.includes(id);
    const referring = list.records
      .map((record) => record.feature)
      .filter((feature) => feature.id !== id && (refers(feature.dependsOn) || refers(feature.blocks)));
    for (const feature of referring) {
      await workspace.features.updateIfPresent(slug, feature.id, ({ feature: current }) => ({
        fields: { dependsOn: without(current.dependsOn), blocks: without(current.blocks) },
      }));
    }

    if (!(await workspace.features.remove(slug, id))) throw missing(slug, id);
    await workspace.locks.update(slug, (table) => {
      const isNamed = [...table.locks, ...table.claims].some((entry) => entry.featureId === id);
      return isNamed ? withoutClaim(withoutLock(table, id), id) : table;
    });
    const others = list.unreadable.filter((record) => record.path !== paths.feature(slug, id));
    return { referring: referring.map((feature) => feature.id), unreadable: others };
  });
}

function missing(slug: string, id: string): ToolError {
  return new ToolError("not_found", `Feature "${id}" does not exist in project "${slug}"`);
}
