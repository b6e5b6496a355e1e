import type { JsonObject } from "@orchestrator/runtime";
import { listField, textField } from "./fields.ts";

export const PRIORITIES = ["P0", "P1", "P2", "P3"] as const;
export const KINDS = ["feature", "bug", "hotfix", "chore", "testcase"] as const;
export const ESTIMATES = ["S", "M", "L", "XL"] as const;

/** One unit of work. Text fields are "" and lists are empty where the record does not carry them. */
export interface Feature {
  readonly id: string;
  readonly projectId: string;
  readonly title: string;
  readonly description: string;
  /** As stored: one of the seven states, or an older name that the workflow still understands. */
  readonly status: string;
  readonly priority: string;
  readonly kind: string;
  /** Free text, or the id of a person record. */
  readonly assignee: string;
  readonly labels: readonly string[];
  readonly dependsOn: readonly string[];
  /** The other end of `dependsOn`. */
  readonly blocks: readonly string[];
  readonly estimate: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Front matter that other programs or people added; kept as it is. */
  readonly extra: JsonObject;
}

const KNOWN = new Set(
  (
    "id project_id title description status priority version created_at updated_at " +
    "kind assignee labels depends_on blocks estimate"
  ).split(" "),
);

/** @param id and `projectId` come from the path, which is what every other record refers to */
export function decodeFeature(metadata: JsonObject, projectId: string, id: string): Feature {
  return {
    id,
    projectId,
    title: textField(metadata, "title"),
    description: textField(metadata, "description"),
    status: textField(metadata, "status") || "todo",
    priority: textField(metadata, "priority") || "P2",
    kind: textField(metadata, "kind"),
    assignee: textField(metadata, "assignee"),
    labels: listField(metadata, "labels"),
    dependsOn: listField(metadata, "depends_on"),
    blocks: listField(metadata, "blocks"),
    estimate: textField(metadata, "estimate"),
    createdAt: textField(metadata, "created_at"),
    updatedAt: textField(metadata, "updated_at"),
    extra: extraOf(metadata),
  };
}

/** Nearly always there is nothing extra. */
function extraOf(metadata: JsonObject): JsonObject {
  const keys = Object.keys(metadata).filter((key) => !KNOWN.has(key));
  return keys.length === 0 ? {} : Object.fromEntries(keys.map((key) => [key, metadata[key]!]));
}

export function encodeFeature(feature: Feature): JsonObject {
  return {
    ...feature.extra,
    ...fieldsOf(feature),
    // Always 0: the version that counts is the one that the storage keeps beside the record.
    version: 0,
    ...timesOf(feature),
  };
}

/** What programs read besides the text of a result. */
export function featureJson(feature: Feature): JsonObject {
  return Object.assign(fieldsOf(feature), timesOf(feature));
}

/** Optional keys stand in a record only where they have a value. */
function fieldsOf(feature: Feature): JsonObject {
  const fields: JsonObject = {};
  if (feature.kind !== "") fields["kind"] = feature.kind;
  if (feature.assignee !== "") fields["assignee"] = feature.assignee;
  if (feature.labels.length > 0) fields["labels"] = [...feature.labels];
  if (feature.dependsOn.length > 0) fields["depends_on"] = [...feature.dependsOn];
  if (feature.blocks.length > 0) fields["blocks"] = [...feature.blocks];
  if (feature.estimate !== "") fields["estimate"] = feature.estimate;
  fields["id"] = feature.id;
  fields["project_id"] = feature.projectId;
  fields["title"] = feature.title;
  fields["description"] = feature.description;
  fields["status"] = feature.status;
  fields["priority"] = feature.priority;
  return fields;
}

function timesOf(feature: Feature): JsonObject {
  return { created_at: feature.createdAt, updated_at: feature.updatedAt };
}

/** Records written before kinds existed are plain features. */
export function kindOf(feature: Feature): string {
  return feature.kind || "feature";
}
