import { KINDS, PRIORITIES } from "../records/feature.ts";
import { requireSegment } from "../records/paths.ts";
import type { Workspace } from "../store/workspace.ts";
import { type Argument, required, text } from "./arguments.ts";

/** An id, which becomes part of a path. */
function id(description: string): Argument<string, true> {
  const plain = text(description);
  const read = (value: Parameters<typeof plain.read>[0], name: string) => {
    const given = plain.read(value, name);
    return given === undefined ? undefined : requireSegment(given.trim(), name);
  };
  return required({ ...plain, read });
}

export const projectId = id("Slug of the project, as create_project and list_projects show it");
export const featureId = id("Id of the feature, for example FEAT-ABC");
export const dependsOnId = id("Id of the feature that has to be done first");

export const priority = text("Priority, P0 is the most urgent", { oneOf: PRIORITIES });
export const kind = text("Kind of work", { oneOf: KINDS });
export const kindFilter = text("Only features of this kind: feature, bug, hotfix, chore or testcase");

/** Two ids, as the arguments of most tools. */
export const oneFeature = { project_id: projectId, feature_id: featureId };

/**
 * An empty answer about a project that does not exist would look like an idle one.
 * @throws {ToolError} `not_found`
 */
export async function requireProjectIfEmpty(
  workspace: Workspace,
  slug: string,
  list: { readonly records: readonly unknown[]; readonly unreadable: readonly unknown[] },
): Promise<void> {
  if (list.records.length === 0 && list.unreadable.length === 0) await workspace.projects.get(slug);
}
