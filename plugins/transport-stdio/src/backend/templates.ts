import type { McpResourceTemplate, TemplateCompletion } from "@orchestrator/mcp";
import { stem } from "./uris.ts";

/** The records of a project that people look for by name. */
const KINDS = ["features", "plans", "requests", "notes", "docs"];

const ANY = "orchestra://{project}/{kind}/{id}";

/** Everything in a project by kind, then any other record. */
export const TEMPLATES: readonly McpResourceTemplate[] = [
  ...KINDS.map((kind) => ({
    uriTemplate: `orchestra://{project}/${kind}/{id}`,
    name: kind,
    description: `One of the ${kind} of a project`,
    mimeType: "text/markdown",
  })),
  { uriTemplate: ANY, name: "record", description: "Any record of a project", mimeType: "text/markdown" },
];

/**
 * Every value that one variable of a template can have, given the others.
 * @param paths of all documents
 * @param projectFiles the `project.json` of every project: a new one has no documents yet
 */
export function templateValues(
  completion: TemplateCompletion,
  paths: readonly string[],
  projectFiles: readonly string[],
): readonly string[] {
  const { uriTemplate, variable, resolved } = completion;
  const kind = uriTemplate === ANY ? resolved["kind"] : uriTemplate.split("/")[3];
  const records = paths.map((path) => stem(path).split("/")).filter((parts) => parts.length === 3);
  const fits = (value: string | undefined, part: string | undefined) => value === undefined || value === part;
  const inProject = records.filter((parts) => fits(resolved["project"], parts[0]));
  switch (variable) {
    case "project":
      return unique([...projectFiles.map((path) => path.split("/")[0]), ...records.map((parts) => parts[0])]);
    case "kind":
      return unique(inProject.map((parts) => parts[1]));
    default:
      return unique(inProject.filter((parts) => fits(kind, parts[1])).map((parts) => parts[2]));
  }
}

function unique(values: readonly (string | undefined)[]): string[] {
  return [...new Set(values.filter((value) => value !== undefined))].sort();
}
