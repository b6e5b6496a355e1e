import { ToolError } from "@orchestrator/runtime";
import { advance, settleLock } from "../operations/advance.ts";
import { decide } from "../operations/decide.ts";
import { reviewEntry } from "../records/body.ts";
import { featureJson } from "../records/feature.ts";
import { featureTable } from "../render/feature.ts";
import { phaseHint } from "../render/hints.ts";
import type { Services } from "../services.ts";
import type { Workspace } from "../store/workspace.ts";
import { matchesStatus } from "../workflow/states.ts";
import { flag, required, text } from "./arguments.ts";
import { oneFeature, projectId, requireProjectIfEmpty } from "./common.ts";
import { answer, paragraphs, recordTool, type Tools } from "./define.ts";

export function reviewTools(services: Services): Tools {
  return {
    request_review: recordTool(
      services,
      {
        description:
          "Ask for the review of a feature whose next step is in-review, through the same gate as advance_feature",
        input: {
          ...oneFeature,
          evidence: text("Markdown, as for advance_feature; needed where the step has a gate"),
          force: flag("Only after the user agreed: accept files of another kind than the gate expects"),
        },
        effect: "write",
      },
      async ({ project_id: slug, feature_id: id, evidence = "", force = false }, workspace) => {
        const { record, from, to, remark } = await advance(workspace, {
          slug,
          id,
          evidence,
          force,
          accept: (step) => {
            if (step.to === "in-review") return;
            const message = `${id} is ${step.from} and goes to ${step.to} before it can be reviewed; use advance_feature`;
            throw new ToolError("workflow_error", message);
          },
        });
        const heading = `Requested review of **${id}** (${from} -> ${to})`;
        return answer(paragraphs(heading, phaseHint(to), remark), { feature: featureJson(record.feature), from, to });
      },
    ),

    submit_review: recordTool(
      services,
      {
        description: "Record the user's decision about a feature in review",
        input: {
          ...oneFeature,
          status: required(text("The decision", { oneOf: ["approved", "needs-edits"] })),
          comment: text("What the user said"),
        },
        effect: "write",
      },
      async ({ project_id: slug, feature_id: id, status, comment }, workspace) => {
        const to = status === "approved" ? "done" : "needs-edits";
        const { feature } = await decide(workspace, {
          slug,
          id,
          to,
          respectLock: true,
          entry: (at) => (comment === undefined ? "" : reviewEntry(status, at, comment)),
        });
        const remark = to === "done" ? await settleLock(workspace, slug, id, to) : "";
        const heading = `Review submitted for **${id}**: **${status}** (in-review -> ${to})`;
        return answer(paragraphs(heading, phaseHint(to), remark), { feature: featureJson(feature), to });
      },
    ),

    get_pending_reviews: recordTool(
      services,
      {
        description: "List the features that wait for a review",
        input: { project_id: projectId },
        effect: "read",
      },
      ({ project_id: slug }, workspace) => inReview(workspace, slug, "Pending Reviews"),
    ),

    get_review_queue: recordTool(
      services,
      { description: "List the features in review", input: { project_id: projectId }, effect: "read" },
      ({ project_id: slug }, workspace) => inReview(workspace, slug, "Review Queue"),
    ),
  };
}

async function inReview(workspace: Workspace, slug: string, header: string) {
  const list = await workspace.features.list(slug);
  await requireProjectIfEmpty(workspace, slug, list);
  const features = list.records
    .map((record) => record.feature)
    .filter((feature) => matchesStatus(feature.status, "in-review"));
  const text = featureTable(header, features, { none: "No features in review found." });
  return answer(text, { features: features.map(featureJson) }, list.unreadable);
}
