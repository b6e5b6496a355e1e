import { advance } from "../operations/advance.ts";
import { decide } from "../operations/decide.ts";
import { startFeature } from "../operations/start.ts";
import { rejectionEntry } from "../records/body.ts";
import { featureJson } from "../records/feature.ts";
import { featureBlock } from "../render/feature.ts";
import { phaseHint } from "../render/hints.ts";
import { statusCounts, statusTable } from "../render/status.ts";
import type { Services } from "../services.ts";
import { checkModel } from "../workflow/models.ts";
import { requireStartable } from "../workflow/states.ts";
import { flag, required, text } from "./arguments.ts";
import { oneFeature, projectId, requireProjectIfEmpty } from "./common.ts";
import { answer, paragraphs, recordTool, type Tools } from "./define.ts";
import { gateRequirements } from "./gate-requirements.ts";

export function workflowTools(services: Services): Tools {
  return {
    set_current_feature: recordTool(
      services,
      {
        description: "Start work on a feature: brings it from todo or needs-edits to in-progress and locks it",
        input: { ...oneFeature, model: text("Model that will do the work; checked against the estimate") },
        effect: "write",
      },
      async ({ project_id: slug, feature_id: id, model }, workspace) => {
        let was = "";
        const { feature, body } = await startFeature(workspace, {
          slug,
          id,
          check: ({ feature: current }) => {
            checkModel(model, id, current.estimate);
            was = requireStartable(id, current.status);
          },
        });
        const heading = `Set **${id}** to **in-progress** (was ${was})`;
        const text = paragraphs(heading, featureBlock(feature), body, phaseHint("in-progress"));
        return answer(text, { feature: featureJson(feature), body, from: was });
      },
    ),

    advance_feature: recordTool(
      services,
      {
        description:
          "Take a feature one step forward: todo, in-progress, in-testing, in-docs, in-review. Most steps have a gate " +
          "that wants evidence; get_gate_requirements says which",
        input: {
          ...oneFeature,
          evidence: required(text("Markdown: what was done, under the heading that the gate wants, naming the files")),
          force: flag("Only after the user agreed: accept files of another kind than the gate expects"),
        },
        effect: "write",
      },
      async ({ project_id: slug, feature_id: id, evidence, force = false }, workspace) => {
        const { record, from, to, remark } = await advance(workspace, { slug, id, evidence, force });
        const heading = `Advanced **${id}** from **${from}** to **${to}**`;
        const facts = { feature: featureJson(record.feature), from, to };
        return answer(paragraphs(heading, phaseHint(to), remark), facts);
      },
    ),

    reject_feature: recordTool(
      services,
      {
        description: "Send a feature back from review for more work",
        input: { ...oneFeature, reason: required(text("What has to change")) },
        effect: "write",
      },
      async ({ project_id: slug, feature_id: id, reason }, workspace) => {
        const { feature } = await decide(workspace, {
          slug,
          id,
          to: "needs-edits",
          respectLock: false,
          entry: (at) => rejectionEntry("in-review", at, reason),
        });
        const heading = `Rejected **${id}** (in-review -> needs-edits): ${reason}`;
        return answer(paragraphs(heading, phaseHint("needs-edits")), { feature: featureJson(feature) });
      },
    ),

    get_workflow_status: recordTool(
      services,
      {
        description: "Show how many features are in each status",
        input: { project_id: projectId },
        effect: "read",
      },
      async ({ project_id: slug }, workspace) => {
        const list = await workspace.features.list(slug);
        await requireProjectIfEmpty(workspace, slug, list);
        const features = list.records.map((record) => record.feature);
        const text = paragraphs(`## Workflow Status: ${slug}`, statusTable(features));
        return answer(text, { counts: { ...statusCounts(features) } }, list.unreadable);
      },
    ),

    get_gate_requirements: recordTool(
      services,
      { description: "Show what the next step of a feature needs", input: oneFeature, effect: "read" },
      async ({ project_id: slug, feature_id: id }, workspace) => {
        const { feature } = await workspace.features.get(slug, id);
        return gateRequirements(feature);
      },
    ),
  };
}
