import type { JsonObject } from "@orchestrator/runtime";
import { textField } from "./fields.ts";

/** A project; `slug` names its directory and is the `project_id` of every tool. */
export interface Project {
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly extra: JsonObject;
}

const KNOWN = new Set("id name slug description created_at updated_at".split(" "));

export function decodeProject(metadata: JsonObject, slug: string): Project {
  return {
    slug,
    name: textField(metadata, "name") || slug,
    description: textField(metadata, "description"),
    createdAt: textField(metadata, "created_at"),
    updatedAt: textField(metadata, "updated_at"),
    extra: Object.fromEntries(Object.entries(metadata).filter(([key]) => !KNOWN.has(key))),
  };
}

export function encodeProject(project: Project): JsonObject {
  return {
    ...project.extra,
    id: project.slug,
    name: project.name,
    slug: project.slug,
    description: project.description,
    created_at: project.createdAt,
    updated_at: project.updatedAt,
  };
}
