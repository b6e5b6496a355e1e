import { ErrorCode, HubError } from "@orchestrator/protocol";
import { isToolFailure, type JsonObject } from "@orchestrator/runtime";
import { memoryStorage, testPlugin } from "@orchestrator/runtime/testing";
import { describe, expect, it } from "vitest";
import { createFeaturesPlugin } from "../src/index.ts";

async function failureOf(call: Promise<unknown>) {
  const error = await call.then(
    () => expect.fail("the call should fail"),
    (reason: unknown) => reason as HubError,
  );
  return isToolFailure(error);
}

describe("the plugin in its runtime", () => {
  it("does what the README shows", async () => {
    await using plugin = await testPlugin(createFeaturesPlugin());
    await plugin.callTool("create_project", { name: "My App" });
    const { text } = await plugin.callTool("create_feature", { project_id: "my-app", title: "Login" });
    expect(text).toMatch(/^Created \*\*FEAT-[A-Z]{3}\*\*: Login/);
  });

  it("lists 36 tools with their schemas", async () => {
    await using plugin = await testPlugin(createFeaturesPlugin());
    const tools = await plugin.listTools();
    expect(tools).toHaveLength(36);
    for (const tool of tools) expect(tool.inputSchema).toMatchObject({ type: "object", properties: {} });
    expect(tools.find((tool) => tool.name === "create_feature")?.inputSchema).toMatchObject({
      required: ["project_id", "title"],
      properties: { priority: { type: "string", enum: ["P0", "P1", "P2", "P3"] } },
    });
  });

  it.each([{}, { name: "" }, { name: 7 }, { name: null }])("refuses %o with validation_error", async (args) => {
    await using plugin = await testPlugin(createFeaturesPlugin());
    const failure = await failureOf(plugin.callTool("create_project", args as JsonObject));
    expect(failure).toMatchObject({ errorCode: "validation_error", errorMessage: expect.stringContaining("name") });
  });

  it("carries session and error codes to the caller", async () => {
    await using plugin = await testPlugin(createFeaturesPlugin());
    await plugin.callTool("create_project", { name: "My App" });
    const { feature } = await plugin.callTool("create_feature", { project_id: "my-app", title: "T" });
    const one = { project_id: "my-app", feature_id: (feature as JsonObject)["id"]! };
    await plugin.callTool("set_current_feature", one, { sessionId: "a" });
    const locked = plugin.callTool("advance_feature", { ...one, evidence: "x" }, { sessionId: "b" });
    expect(await failureOf(locked)).toMatchObject({ errorCode: "session_lock" });
    const blocked = plugin.callTool("advance_feature", { ...one, evidence: "x" }, { sessionId: "a" });
    expect(await failureOf(blocked)).toMatchObject({ errorCode: "gate_blocked" });
  });

  it("tells a dead storage and an unreadable record from absent ones over the wire", async () => {
    const storage = memoryStorage();
    let failure: HubError | undefined;
    const guarded = {
      ...storage,
      read: (path: string, ...rest: [never]) => (failure ? Promise.reject(failure) : storage.read(path, ...rest)),
    };
    await using plugin = await testPlugin(createFeaturesPlugin(), { hub: { storage: { markdown: guarded } } });
    await plugin.callTool("create_project", { name: "My App" });
    failure = new HubError(ErrorCode.Unavailable, "The storage plugin is gone");
    const dead = await failureOf(plugin.callTool("list_projects"));
    expect(dead).toMatchObject({ errorCode: "storage_error", errorMessage: expect.stringContaining("gone") });
    failure = new HubError(ErrorCode.DataLoss, "bad front matter");
    const { text } = await plugin.callTool("list_projects");
    expect(text).toContain("- my-app/project.json: bad front matter");
  });
});
