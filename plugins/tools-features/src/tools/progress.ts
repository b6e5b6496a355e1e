import { bullets } from "../render/bullets.ts";
import { statusCounts, statusTable } from "../render/status.ts";
import type { Services } from "../services.ts";
import { projectId, requireProjectIfEmpty } from "./common.ts";
import { answer, paragraphs, recordTool, type Tools } from "./define.ts";

export function progressTools(services: Services): Tools {
  return {
    get_progress: recordTool(
      services,
      { description: "Show how much of a project is done", input: { project_id: projectId }, effect: "read" },
      async ({ project_id: slug }, workspace) => {
        const list = await workspace.features.list(slug);
        await requireProjectIfEmpty(workspace, slug, list);
        const features = list.records.map((record) => record.feature);
        const counts = statusCounts(features);
        const done = counts["done"] ?? 0;
        const percent = features.length === 0 ? 0 : (done / features.length) * 100;
        const totals = bullets([
          ["Total", String(features.length)],
          ["Done", String(done)],
          ["Completion", `${percent.toFixed(1)}%`],
        ]);
        const text = paragraphs(`## Progress: ${slug}`, totals.join("\n"), statusTable(features));
        const facts = { total: features.length, done, completion_percent: percent, counts: { ...counts } };
        return answer(text, facts, list.unreadable);
      },
    ),
  };
}
