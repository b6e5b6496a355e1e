import { removeFeature } from "../operations/remove-feature.ts";
import { initialBody } from "../records/body.ts";
import { featureJson, kindOf } from "../records/feature.ts";
import { type Lock, lockOn } from "../records/locks.ts";
import { featureBlock, featureTable } from "../render/feature.ts";
import type { Services } from "../services.ts";
import { ruledAssignee } from "../store/assignment-rules.ts";
import type { Workspace } from "../store/workspace.ts";
import { matchesStatus } from "../workflow/states.ts";
import { required, text } from "./arguments.ts";
import { kind, kindFilter, oneFeature, priority, projectId } from "./common.ts";
import { answer, paragraphs, recordTool, type Tools } from "./define.ts";
import { lockView } from "./lock-view.ts";

export function featureTools(services: Services): Tools {
  return {
    create_feature: recordTool(
      services,
      {
        description: "Create a feature in status todo",
        input: {
          project_id: projectId,
          title: required(text("Short title")),
          description: text("What is wanted and why"),
          priority,
          kind,
        },
        effect: "write",
      },
      async ({ project_id: slug, title, description = "", ...input }, workspace) => {
        const kindOfWork = input.kind ?? "feature";
        const [, assignee] = await Promise.all([
          workspace.projects.get(slug),
          ruledAssignee(workspace, slug, kindOfWork),
        ]);
        const at = workspace.timestamp();
        const feature = await workspace.features.create(
          {
            projectId: slug,
            title,
            description,
            status: "todo",
            priority: input.priority ?? "P2",
            kind: kindOfWork,
            assignee,
            labels: [],
            dependsOn: [],
            blocks: [],
            estimate: "",
            createdAt: at,
            updatedAt: at,
            extra: {},
          },
          initialBody(title, description),
        );
        const heading = `Created **${feature.id}**: ${title}`;
        return answer(paragraphs(heading, featureBlock(feature)), { feature: featureJson(feature) });
      },
    ),

    get_feature: recordTool(
      services,
      { description: "Show a feature with its whole history", input: oneFeature, effect: "read" },
      async ({ project_id: slug, feature_id: id }, workspace) => {
        const [{ feature, body }, locks] = await Promise.all([
          workspace.features.get(slug, id),
          lockView(workspace, slug),
        ]);
        const lock = lockOn(locks.table, id, workspace.now());
        const text = paragraphs(
          featureBlock(feature),
          lock === undefined ? "" : lockLine(lock, workspace),
          "---",
          body,
        );
        const facts = { feature: featureJson(feature), body, locked: lock !== undefined };
        return answer(text, facts, locks.unreadable);
      },
    ),

    update_feature: recordTool(
      services,
      {
        description: "Change title, description or priority of a feature; what is left out stays",
        input: {
          ...oneFeature,
          title: text("New title"),
          description: text("New description"),
          priority: { ...priority, schema: { type: "string", description: "New priority: P0, P1, P2 or P3" } },
        },
        effect: "write",
      },
      async ({ project_id: slug, feature_id: id, ...changes }, workspace) => {
        const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
        const isEmpty = Object.keys(given).length === 0;
        const { feature } = await workspace.features.update(slug, id, () => (isEmpty ? undefined : { fields: given }));
        return answer(paragraphs(`Updated **${id}**`, featureBlock(feature)), { feature: featureJson(feature) });
      },
    ),

    list_features: recordTool(
      services,
      {
        description: "List the features of a project",
        input: { project_id: projectId, status: text("Only features in this status"), kind: kindFilter },
        effect: "read",
      },
      async ({ project_id: slug, status, kind }, workspace) => {
        const [list, locks] = await Promise.all([workspace.features.list(slug), lockView(workspace, slug)]);
        const features = list.records
          .map((record) => record.feature)
          .filter((feature) => status === undefined || matchesStatus(feature.status, status))
          .filter((feature) => kind === undefined || kindOf(feature) === kind);
        const header = ["Features", status && `(${status})`, kind && `(kind=${kind})`].filter(Boolean).join(" ");
        const text = featureTable(header, features, { isLocked: locks.isLockedByOther });
        return answer(text, { features: features.map(featureJson) }, [...list.unreadable, ...locks.unreadable]);
      },
    ),

    delete_feature: recordTool(
      services,
      {
        description: "Delete a feature and every reference to it from other features",
        input: oneFeature,
        effect: "remove",
      },
      async ({ project_id: slug, feature_id: id }, workspace) => {
        const { referring, unreadable } = await removeFeature(workspace, slug, id);
        const remark = referring.length === 0 ? "" : `Removed its references from ${referring.join(", ")}`;
        const text = paragraphs(`Deleted feature ${id} from project ${slug}`, remark);
        return answer(text, { referring: [...referring] }, unreadable);
      },
    ),

    search_features: recordTool(
      services,
      {
        description: "Find features whose title or description contains a text, in upper or lower case",
        input: { project_id: projectId, query: required(text("Text to look for")), kind: kindFilter },
        effect: "read",
      },
      async ({ project_id: slug, query, kind }, workspace) => {
        const wanted = query.toLowerCase();
        const list = await workspace.features.list(slug);
        const features = list.records
          .map((record) => record.feature)
          .filter((feature) => `${feature.title}\n${feature.description}`.toLowerCase().includes(wanted))
          .filter((feature) => kind === undefined || kindOf(feature) === kind);
        const text = featureTable(`Search results for "${wanted}"`, features);
        return answer(text, { features: features.map(featureJson) }, list.unreadable);
      },
    ),
  };
}

function lockLine(lock: Lock, workspace: Workspace): string {
  const holder = lock.holder === workspace.holder ? "this session" : "another session";
  return `- **Locked:** by ${holder} since ${lock.lockedAt}`;
}
