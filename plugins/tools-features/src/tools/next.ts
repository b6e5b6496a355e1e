import { featureJson, kindOf, PRIORITIES } from "../records/feature.ts";
import { lockOn, withoutClaim, withoutLock } from "../records/locks.ts";
import { featureBlock } from "../render/feature.ts";
import type { Services } from "../services.ts";
import { matchesStatus } from "../workflow/states.ts";
import { text } from "./arguments.ts";
import { kindFilter, oneFeature, projectId, requireProjectIfEmpty } from "./common.ts";
import { answer, paragraphs, recordTool, type Tools } from "./define.ts";
import { lockView } from "./lock-view.ts";

export function nextTools(services: Services): Tools {
  return {
    get_next_feature: recordTool(
      services,
      {
        description: "Find the most urgent feature that no other session works on",
        input: {
          project_id: projectId,
          status: text("Status to look in; todo if left out"),
          assignee: text("Only features of this assignee"),
          kind: kindFilter,
        },
        effect: "read",
      },
      async ({ project_id: slug, status = "todo", assignee, kind }, workspace) => {
        const [list, locks] = await Promise.all([workspace.features.list(slug), lockView(workspace, slug)]);
        await requireProjectIfEmpty(workspace, slug, list);
        const [next] = list.records
          .map((record) => record.feature)
          .filter((feature) => matchesStatus(feature.status, status))
          .filter((feature) => assignee === undefined || feature.assignee === assignee)
          .filter((feature) => kind === undefined || kindOf(feature) === kind)
          .filter((feature) => !locks.isLockedByOther(feature))
          .toSorted((one, other) => urgency(one.priority) - urgency(other.priority));
        const unreadable = [...list.unreadable, ...locks.unreadable];
        if (next === undefined) return answer(`No features in status ${status} found.`, {}, unreadable);
        const text = paragraphs("**Next feature:**", featureBlock(next));
        return answer(text, { feature: featureJson(next) }, unreadable);
      },
    ),

    unlock_feature: recordTool(
      services,
      { description: "Release the lock on a feature, whichever session holds it", input: oneFeature, effect: "write" },
      async ({ project_id: slug, feature_id: id }, workspace) => {
        await workspace.features.get(slug, id);
        let wasLocked = false;
        await workspace.locks.update(slug, (table) => {
          wasLocked = lockOn(table, id, workspace.now()) !== undefined;
          const isNamed = [...table.locks, ...table.claims].some((entry) => entry.featureId === id);
          return isNamed ? withoutClaim(withoutLock(table, id), id) : table;
        });
        const text = wasLocked ? `Unlocked **${id}**` : `**${id}** was not locked`;
        return answer(text, { feature_id: id, was_locked: wasLocked });
      },
    ),
  };
}

/** 0 is the most urgent; a priority of another scheme comes last. */
function urgency(priority: string): number {
  const index = (PRIORITIES as readonly string[]).indexOf(priority);
  return index < 0 ? PRIORITIES.length : index;
}
