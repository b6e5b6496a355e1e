import { ToolError } from "@orchestrator/runtime";
import type { Services } from "../services.ts";
import { matchesStatus } from "../workflow/states.ts";
import { number, required } from "./arguments.ts";
import { projectId } from "./common.ts";
import { answer, recordTool, type Tools } from "./define.ts";

export function wipTools(services: Services): Tools {
  return {
    set_wip_limits: recordTool(
      services,
      {
        description: "Limit how many features of a project may be in progress at once; no further one can start then",
        input: { project_id: projectId, max_in_progress: required(number("A positive whole number")) },
        effect: "write",
      },
      async ({ project_id: slug, max_in_progress: limit }, workspace) => {
        if (!Number.isSafeInteger(limit) || limit < 1) {
          throw new ToolError(
            "validation_error",
            `Argument "max_in_progress" must be a positive integer, not ${limit}`,
          );
        }
        await workspace.projects.get(slug);
        await workspace.wipLimits.set(slug, limit);
        return answer(`Set WIP limit to **${limit}** for project **${slug}**`, { max_in_progress: limit });
      },
    ),

    get_wip_limits: recordTool(
      services,
      { description: "Show the WIP limit of a project", input: { project_id: projectId }, effect: "read" },
      async ({ project_id: slug }, workspace) => {
        const limit = await workspace.wipLimits.get(slug);
        if (limit !== undefined) {
          return answer(`WIP limit for project **${slug}**: **${limit}** in progress`, { max_in_progress: limit });
        }
        await workspace.projects.get(slug);
        return answer(`WIP limit for project **${slug}**: not configured`, { max_in_progress: null });
      },
    ),

    check_wip_limit: recordTool(
      services,
      {
        description: "Show whether another feature may start",
        input: { project_id: projectId },
        effect: "read",
      },
      async ({ project_id: slug }, workspace) => {
        const [limit, list] = await Promise.all([workspace.wipLimits.get(slug), workspace.features.list(slug)]);
        const running = list.records.filter(({ feature }) => matchesStatus(feature.status, "in-progress")).length;
        if (limit === undefined) {
          await workspace.projects.get(slug);
          const text = `WIP limit for project **${slug}**: not configured (${running} in progress)`;
          return answer(text, { in_progress: running, max_in_progress: null }, list.unreadable);
        }
        const verdict = running >= limit ? "LIMIT REACHED" : "within limit";
        const text = `WIP for project **${slug}**: ${running} of ${limit} in progress — ${verdict}`;
        const facts = { in_progress: running, max_in_progress: limit, reached: running >= limit };
        return answer(text, facts, list.unreadable);
      },
    ),
  };
}
