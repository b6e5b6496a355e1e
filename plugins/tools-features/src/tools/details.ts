import { ToolError } from "@orchestrator/runtime";
import { ESTIMATES, type Feature, featureJson } from "../records/feature.ts";
import { unique } from "../records/fields.ts";
import { paths, requireSegment } from "../records/paths.ts";
import type { Services } from "../services.ts";
import { orStorageError } from "../store/documents.ts";
import { required, text, texts } from "./arguments.ts";
import { oneFeature } from "./common.ts";
import { answer, recordTool, type Tools } from "./define.ts";

/** Labels, assignee, estimate: what is said about a feature beside its text and its state. */
export function detailTools(services: Services): Tools {
  const labels = required(texts("Labels"));
  return {
    add_labels: recordTool(
      services,
      { description: "Add labels to a feature", input: { ...oneFeature, labels }, effect: "write" },
      async ({ project_id: slug, feature_id: id, labels }, workspace) => {
        const { feature } = await workspace.features.update(slug, id, ({ feature }) => {
          const all = unique([...feature.labels, ...labels]);
          return all.length === feature.labels.length ? undefined : { fields: { labels: all } };
        });
        return answer(labelText(feature), { feature: featureJson(feature) });
      },
    ),

    remove_labels: recordTool(
      services,
      { description: "Remove labels from a feature", input: { ...oneFeature, labels }, effect: "write" },
      async ({ project_id: slug, feature_id: id, labels }, workspace) => {
        const { feature } = await workspace.features.update(slug, id, ({ feature }) => {
          const rest = feature.labels.filter((label) => !labels.includes(label));
          return rest.length === feature.labels.length ? undefined : { fields: { labels: rest } };
        });
        return answer(labelText(feature), { feature: featureJson(feature) });
      },
    ),

    assign_feature: recordTool(
      services,
      {
        description: "Assign a feature to somebody",
        input: { ...oneFeature, assignee: required(text("A name, or the id of a person (PERS-…), who must exist")) },
        effect: "write",
      },
      async ({ project_id: slug, feature_id: id, assignee }, workspace) => {
        if (assignee.startsWith("PERS-")) {
          const path = paths.person(slug, requireSegment(assignee, "assignee"));
          const person = await orStorageError(workspace.documents.read(path));
          if (person === undefined) {
            throw new ToolError("not_found", `Person "${assignee}" does not exist in project "${slug}"`);
          }
        }
        const { feature } = await workspace.features.update(slug, id, () => ({ fields: { assignee } }));
        return answer(`Assigned **${id}** to **${assignee}**`, { feature: featureJson(feature) });
      },
    ),

    unassign_feature: recordTool(
      services,
      { description: "Take the assignee from a feature", input: oneFeature, effect: "write" },
      async ({ project_id: slug, feature_id: id }, workspace) => {
        const { feature } = await workspace.features.update(slug, id, ({ feature }) =>
          feature.assignee === "" ? undefined : { fields: { assignee: "" } },
        );
        return answer(`Unassigned **${id}**`, { feature: featureJson(feature) });
      },
    ),

    set_estimate: recordTool(
      services,
      {
        description: "Say how large a feature is; L and XL need a strong model",
        input: { ...oneFeature, estimate: required(text("Size", { oneOf: ESTIMATES })) },
        effect: "write",
      },
      async ({ project_id: slug, feature_id: id, estimate }, workspace) => {
        const { feature } = await workspace.features.update(slug, id, () => ({ fields: { estimate } }));
        return answer(`Set estimate for **${id}** to **${estimate}**`, { feature: featureJson(feature) });
      },
    ),
  };
}

function labelText(feature: Feature): string {
  return `Labels for **${feature.id}**: ${feature.labels.join(", ") || "none"}`;
}
