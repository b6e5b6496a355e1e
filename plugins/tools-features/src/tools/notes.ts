import { noteEntry } from "../records/body.ts";
import type { Services } from "../services.ts";
import { required, text } from "./arguments.ts";
import { oneFeature } from "./common.ts";
import { answer, paragraphs, recordTool, type Tools } from "./define.ts";

export function noteTools(services: Services): Tools {
  return {
    save_note: recordTool(
      services,
      {
        description: "Add a note to a feature",
        input: { ...oneFeature, note: required(text("Markdown")) },
        effect: "write",
      },
      async ({ project_id: slug, feature_id: id, note }, workspace) => {
        await workspace.features.update(slug, id, () => ({ append: noteEntry(workspace.timestamp(), note) }));
        return answer(`Saved note for **${id}**`, { feature_id: id });
      },
    ),

    list_notes: recordTool(
      services,
      { description: "Show the whole text of a feature: notes, evidence, reviews", input: oneFeature, effect: "read" },
      async ({ project_id: slug, feature_id: id }, workspace) => {
        const { body } = await workspace.features.get(slug, id);
        return answer(paragraphs(`## Notes for ${id}`, body), { feature_id: id, body });
      },
    ),
  };
}
