import { textField } from "../records/fields.ts";
import { paths } from "../records/paths.ts";
import type { RecordAccess } from "./access.ts";

/**
 * Who gets new work of a kind, by the project's assignment rules: records `{ kind, person_id }` that other tools write.
 * @returns "" where no rule fits or the rules cannot be read: a rule is a convenience and must not prevent a record
 */
export async function ruledAssignee(access: RecordAccess, slug: string, kind: string): Promise<string> {
  const { documents } = access;
  try {
    const entries = await documents.list(paths.assignmentRules(slug), "*.md");
    const { found } = await documents.readAll(entries.map((entry) => entry.path));
    const rule = found.find(({ metadata }) => textField(metadata, "kind") === kind);
    return rule === undefined ? "" : textField(rule.metadata, "person_id");
  } catch {
    return "";
  }
}
