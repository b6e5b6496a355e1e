import { ToolError } from "@orchestrator/runtime";
import { encodeProject, type Project } from "../records/project.ts";
import { slugOf } from "../records/slug.ts";
import { projectBlock, projectLine } from "../render/project.ts";
import { statusCounts, statusTable } from "../render/status.ts";
import type { Services } from "../services.ts";
import type { Workspace } from "../store/workspace.ts";
import { required, text } from "./arguments.ts";
import { projectId } from "./common.ts";
import { answer, paragraphs, recordTool, type Tools } from "./define.ts";

export function projectTools(services: Services): Tools {
  return {
    create_project: recordTool(
      services,
      {
        description: "Create a project. Its slug, made from the name, is the project_id of every other tool",
        input: { name: required(text("Name of the project")), description: text("What the project is about") },
        effect: "write",
      },
      async ({ name, description = "" }, workspace) => {
        const at = workspace.timestamp();
        const project = { slug: slugOf(name), name, description, createdAt: at, updatedAt: at, extra: {} };
        if (!(await workspace.projects.create(project))) throw await taken(workspace, project);
        return answer(`Created project: ${name} (slug: ${project.slug})`, { project: encodeProject(project) });
      },
    ),

    list_projects: recordTool(
      services,
      { description: "List all projects of this workspace", input: {}, effect: "read" },
      async (_, workspace) => {
        const { projects, unreadable } = await workspace.projects.list();
        const lines = projects.length === 0 ? "No projects found." : projects.map(projectLine).join("\n");
        const text = `## Projects (${projects.length})\n\n${lines}`;
        return answer(text, { projects: projects.map(encodeProject) }, unreadable);
      },
    ),

    delete_project: recordTool(
      services,
      {
        description: "Delete a project with every record in it. There is no way back but version control",
        input: { project_id: projectId },
        effect: "remove",
      },
      async ({ project_id: slug }, workspace) => {
        const records = await workspace.inTurn(`start ${slug}`, async () => {
          // A record that cannot be read must not keep its project from being deleted: the file is what counts.
          const listed = await workspace.documents.list(slug, "project.json");
          if (!listed.some((entry) => entry.path === `${slug}/project.json`)) await workspace.projects.get(slug);
          return workspace.projects.remove(slug);
        });
        return answer(`Deleted project: ${slug}`, { deleted_records: records });
      },
    ),

    get_project_status: recordTool(
      services,
      {
        description: "Show a project and how many of its features are in each status",
        input: { project_id: projectId },
        effect: "read",
      },
      async ({ project_id: slug }, workspace) => {
        const [project, list] = await Promise.all([workspace.projects.get(slug), workspace.features.list(slug)]);
        const features = list.records.map((record) => record.feature);
        const facts = { project: encodeProject(project), counts: { ...statusCounts(features) } };
        return answer(paragraphs(projectBlock(project), statusTable(features)), facts, list.unreadable);
      },
    ),
  };
}

async function taken(workspace: Workspace, project: Project): Promise<ToolError> {
  const existing = await workspace.projects.find(project.slug);
  const name = existing === undefined ? "" : ` and is called "${existing.name}"`;
  return new ToolError("storage_error", `Project "${project.slug}" already exists${name}; choose another name`);
}
