import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { JsonObject } from "@orchestrator/runtime";
import { describe, expect, it } from "vitest";
import { Session } from "../../test/session.ts";

/** Name, then the arguments: `*` required, `:type` unless string, `{a|b}` enum. What clients already rely on. */
const EXPECTED = `
create_project name* description
list_projects
delete_project project_id*
get_project_status project_id*
create_feature project_id* title* description priority{P0|P1|P2|P3} kind{feature|bug|hotfix|chore|testcase}
get_feature project_id* feature_id*
update_feature project_id* feature_id* title description priority
list_features project_id* kind status
delete_feature project_id* feature_id*
search_features project_id* query* kind
advance_feature project_id* evidence* feature_id* force:boolean
reject_feature project_id* feature_id* reason*
get_next_feature project_id* kind status assignee
set_current_feature project_id* feature_id* model
get_workflow_status project_id*
get_gate_requirements project_id* feature_id*
request_review project_id* feature_id* evidence force:boolean
submit_review project_id* feature_id* status*{approved|needs-edits} comment
get_pending_reviews project_id*
unlock_feature project_id* feature_id*
add_dependency project_id* feature_id* depends_on_id*
remove_dependency project_id* feature_id* depends_on_id*
get_dependency_graph project_id*
set_wip_limits project_id* max_in_progress*:number
get_wip_limits project_id*
check_wip_limit project_id*
get_progress project_id*
get_blocked_features project_id*
get_review_queue project_id*
add_labels project_id* feature_id* labels*:array<string>
remove_labels project_id* feature_id* labels*:array<string>
assign_feature project_id* assignee* feature_id*
unassign_feature project_id* feature_id*
set_estimate project_id* estimate*{S|M|L|XL} feature_id*
save_note project_id* note* feature_id*
list_notes project_id* feature_id*
`;

function signature(name: string, schema: JsonObject): string {
  const required = (schema["required"] ?? []) as string[];
  const args = Object.entries(schema["properties"] as Record<string, JsonObject>).map(([key, property]) => {
    const items = property["items"] as JsonObject | undefined;
    const type = property["type"] === "string" ? "" : `:${property["type"]}${items ? `<${items["type"]}>` : ""}`;
    const values = property["enum"] === undefined ? "" : `{${(property["enum"] as string[]).join("|")}}`;
    return `${key}${required.includes(key) ? "*" : ""}${type}${values}`;
  });
  return [name, ...args.sort()].join(" ");
}

function sorted(line: string): string {
  const [name, ...args] = line.split(" ");
  return [name, ...args.sort()].join(" ");
}

describe("the tools", () => {
  const session = new Session();
  const schemas = session.toolNames.map((name) => [name, session.tool(name).input as JsonObject] as const);

  it("are the 36, with exactly these arguments", () => {
    const expected = EXPECTED.trim().split("\n").map(sorted).sort();
    expect(expected).toHaveLength(36);
    expect(schemas.map(([name, schema]) => signature(name, schema)).sort()).toEqual(expected);
  });

  it.each(schemas)("%s has a plain schema and a description of everything", (name, schema) => {
    expect(Object.keys(schema).filter((key) => !["type", "properties", "required"].includes(key))).toEqual([]);
    expect(schema["type"]).toBe("object");
    expect(session.tool(name).description.length).toBeGreaterThan(10);
    for (const property of Object.values(schema["properties"] as Record<string, JsonObject>)) {
      expect(Object.keys(property).filter((key) => !["type", "description", "enum", "items"].includes(key))).toEqual(
        [],
      );
      expect(String(property["description"]).length).toBeGreaterThan(3);
    }
  });

  it.each(schemas.filter(([, schema]) => schema["required"] !== undefined))(
    "%s checks each required argument before it touches the storage",
    async (name, schema) => {
      const required = schema["required"] as string[];
      const properties = schema["properties"] as Record<string, JsonObject>;
      const value = (key: string): unknown => {
        const property = properties[key]!;
        if (property["type"] === "array") return ["x"];
        return property["type"] === "number" ? 1 : ((property["enum"] as string[] | undefined)?.[0] ?? "x");
      };
      const full = Object.fromEntries(required.map((key) => [key, value(key)]));
      for (const key of required) {
        for (const wrong of [undefined, null, "", { a: 1 }]) {
          const error = await session.failure(name, { ...full, [key]: wrong });
          expect([error.code, error.message]).toEqual(["validation_error", expect.stringContaining(`"${key}"`)]);
        }
      }
      expect(session.storage.calls).toEqual([]);
    },
  );

  it.each(schemas)("%s reports a dead storage as a failure, never as nothing", async (name, schema) => {
    const dead = new Session();
    await dead.project();
    await dead.feature();
    const id = String(([...dead.storage.files.keys()][1] ?? "").match(/FEAT-[A-Z]+/));
    const values: Record<string, unknown> = {
      project_id: "my-app",
      feature_id: id,
      depends_on_id: "FEAT-OTHER",
      labels: ["x"],
      max_in_progress: 1,
      status: "approved",
      estimate: "S",
    };
    const keys = Object.keys(schema["properties"] as JsonObject);
    const required = (schema["required"] ?? []) as string[];
    const args = Object.fromEntries(
      keys.filter((key) => required.includes(key)).map((key) => [key, values[key] ?? "x"]),
    );
    dead.storage.failure = new HubError(ErrorCode.Unavailable, "gone");
    expect((await dead.failure(name, args)).code).toBe("storage_error");
  });
});
