import { addDependency, removeDependency } from "../operations/dependencies.ts";
import { oneLine } from "../render/table.ts";
import type { Services } from "../services.ts";
import { matchesStatus } from "../workflow/states.ts";
import { dependsOnId, oneFeature, projectId, requireProjectIfEmpty } from "./common.ts";
import { answer, recordTool, type Tools } from "./define.ts";

const oneDependency = { ...oneFeature, depends_on_id: dependsOnId };

export function dependencyTools(services: Services): Tools {
  return {
    add_dependency: recordTool(
      services,
      {
        description: "Say that a feature depends on another one, which has to be done first; cycles are refused",
        input: oneDependency,
        effect: "write",
      },
      async ({ project_id: slug, feature_id: id, depends_on_id: dependsOn }, workspace) => {
        const isNew = await addDependency(workspace, { slug, id, dependsOn });
        const text = isNew
          ? `Added dependency: **${id}** depends on **${dependsOn}**`
          : `**${id}** already depends on **${dependsOn}**`;
        return answer(text, { feature_id: id, depends_on_id: dependsOn, added: isNew });
      },
    ),

    remove_dependency: recordTool(
      services,
      { description: "Take a dependency back", input: oneDependency, effect: "write" },
      async ({ project_id: slug, feature_id: id, depends_on_id: dependsOn }, workspace) => {
        await removeDependency(workspace, { slug, id, dependsOn });
        const text = `Removed dependency: **${id}** no longer depends on **${dependsOn}**`;
        return answer(text, { feature_id: id, depends_on_id: dependsOn });
      },
    ),

    get_dependency_graph: recordTool(
      services,
      { description: "Show who depends on whom", input: { project_id: projectId }, effect: "read" },
      async ({ project_id: slug }, workspace) => {
        const list = await workspace.features.list(slug);
        await requireProjectIfEmpty(workspace, slug, list);
        const edges = list.records.flatMap(({ feature }) => feature.dependsOn.map((to) => ({ from: feature.id, to })));
        const lines = edges.map(({ from, to }) => `- **${from}** depends on **${to}**`);
        const body = lines.length === 0 ? "No dependencies." : lines.join("\n");
        const text = `## Dependency Graph (${list.records.length} features)\n\n${body}`;
        return answer(text, { edges }, list.unreadable);
      },
    ),

    get_blocked_features: recordTool(
      services,
      {
        description: "List the features that wait for another one which is not done",
        input: { project_id: projectId },
        effect: "read",
      },
      async ({ project_id: slug }, workspace) => {
        const list = await workspace.features.list(slug);
        await requireProjectIfEmpty(workspace, slug, list);
        const features = list.records.map((record) => record.feature);
        const done = new Set(features.filter(({ status }) => matchesStatus(status, "done")).map(({ id }) => id));
        const blocked = features
          .filter((feature) => !done.has(feature.id))
          .map((feature) => ({ feature, by: feature.dependsOn.filter((id) => !done.has(id)) }))
          .filter(({ by }) => by.length > 0);
        const lines = blocked.map(
          ({ feature, by }) => `- **${feature.id}** (${oneLine(feature.title)}) blocked by: ${by.join(", ")}`,
        );
        const text =
          lines.length === 0
            ? "## Blocked Features\n\nNo blocked features found."
            : `## Blocked Features (${lines.length})\n\n${lines.join("\n")}`;
        const facts = blocked.map(({ feature, by }) => ({ id: feature.id, blocked_by: [...by] }));
        return answer(text, { blocked: facts }, list.unreadable);
      },
    ),
  };
}
