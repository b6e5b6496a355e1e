import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import {
  LoggingMessageNotificationSchema,
  PromptListChangedNotificationSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { startTestHub, type TestHub } from "@orchestrator/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENVIRONMENT, PROGRAM } from "./program.ts";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

let hub: TestHub;
let client: Client;
beforeAll(async () => {
  hub = await startTestHub({
    env: { ORCHESTRATOR_NODE: process.execPath },
    plugins: [
      { id: "storage.markdown", binary: path("../../storage-markdown/src/main.ts"), args: ["--workspace=."] },
      { id: "tools.features", binary: path("../../tools-features/src/main.ts") },
      { id: "tools.workbench", binary: path("fixtures/workbench.ts") },
    ],
  });
  client = new Client({ name: "test", version: "0" });
  const args = [`--orchestrator-addr=${hub.hub.address}`, `--certs-dir=${hub.authority.directory}`];
  const env = ENVIRONMENT as Record<string, string>;
  await client.connect(new StdioClientTransport({ command: PROGRAM, args, env, stderr: "ignore" }));
});
afterAll(async () => {
  await client?.close();
  await hub?.stop();
});

async function call(name: string, args: Record<string, unknown> = {}, options: object = {}): Promise<string> {
  const result = await client.callTool({ name, arguments: args }, undefined, options);
  const [block] = result.content as { text: string }[];
  return `${result.isError === true ? "ERROR " : ""}${block?.text}`;
}

describe("an MCP client, this gateway, a real hub and real plugins", () => {
  it("creates a feature, and a Markdown file lies on disk", async () => {
    expect(await call("create_project", { name: "My App" })).toContain("my-app");
    const created = await call("create_feature", { project_id: "my-app", title: "Login" });
    const [id] = /FEAT-[A-Z0-9]+/.exec(created) ?? [];
    const file = join(hub.workspace, ".projects", "my-app", "features", `${id}.md`);
    expect(await readFile(file, "utf8")).toContain("# Login");
    const { resources } = await client.listResources();
    const uri = `orchestra://my-app/features/${id}`;
    expect(resources.map((resource) => resource.uri)).toContain(uri);
    const { contents } = await client.readResource({ uri });
    expect(contents[0]).toMatchObject({ text: expect.stringMatching(/status: "todo"[\s\S]*# Login/) });
    const ref = { type: "ref/resource" as const, uri: "orchestra://{project}/features/{id}" };
    const context = { arguments: { project: "my-app" } };
    const { completion } = await client.complete({ ref, argument: { name: "id", value: "FEAT" }, context });
    expect(completion.values).toEqual([id]);
    await expect(client.readResource({ uri: "orchestra://my-app/features/FEAT-NOT" })).rejects.toThrow(/-32002/);
  });

  it("has all tools in one sorted list, each with a schema that the library accepts", async () => {
    const { tools } = await client.listTools();
    const names = tools.map((tool) => tool.name);
    expect(names).toEqual([...names].sort());
    expect(names).toEqual(expect.arrayContaining(["create_feature", "shout", "spell"]));
    expect(tools.find((tool) => tool.name === "count")).toMatchObject({
      annotations: { readOnlyHint: true },
      outputSchema: { type: "object", required: ["letters"] },
    });
  });

  it("gets results, structured results, streams and failures", async () => {
    expect(await call("shout", { text: "hello" })).toBe("HELLO");
    const counted = await client.callTool({ name: "count", arguments: { text: "hello" } });
    expect(counted).toMatchObject({ content: [{ text: "5 letters" }], structuredContent: { letters: 5 } });
    expect(await call("spell", { text: "héllo" })).toBe("héllo");
    expect(await call("refuse")).toBe("ERROR The gate is closed");
    expect(await call("shout", {})).toMatch(/^ERROR .*text/);
    await expect(call("nobody")).rejects.toThrow(/-32602.*Unknown tool: nobody/);
  });

  it("fills in prompts and completes their arguments", async () => {
    const ref = { type: "ref/prompt" as const, name: "praise" };
    const { completion } = await client.complete({ ref, argument: { name: "language", value: "ty" } });
    expect(completion.values).toEqual(["TypeScript"]);
    const { messages } = await client.getPrompt({ name: "praise", arguments: { language: "Rust" } });
    expect(messages).toEqual([{ role: "user", content: { type: "text", text: "Praise Rust" } }]);
    await expect(client.getPrompt({ name: "nobody" })).rejects.toThrow(/-32602/);
  });

  it("hears progress under its session, and its cancellation reaches the plugin", async () => {
    const heard = Promise.withResolvers<unknown>();
    const abort = new AbortController();
    const refused = expect(call("wait", {}, { signal: abort.signal, onprogress: heard.resolve })).rejects.toThrow();
    expect(await heard.promise).toMatchObject({
      progress: 1,
      total: 2,
      message: expect.stringMatching(/^waiting for .+/),
    });
    abort.abort("enough");
    await refused;
    const log = () => hub.hub.log.tail(1000, "tools.workbench").map((line) => line.text);
    await expect.poll(log).toContainEqual(expect.stringContaining("the wait was cancelled"));
  });

  it("is told when a plugin crashes and comes back", async () => {
    await client.listTools();
    const changes: string[] = [];
    const warned = Promise.withResolvers<unknown>();
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => void changes.push("tools"));
    client.setNotificationHandler(PromptListChangedNotificationSchema, () => void changes.push("prompts"));
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => warned.resolve(params));
    expect(await call("crash")).toMatch(/^ERROR .*tools\.workbench/);
    expect(await warned.promise).toMatchObject({
      level: "warning",
      logger: "hub",
      data: { plugin: "tools.workbench" },
    });
    const names = async () => (await client.listTools()).tools.map((tool) => tool.name);
    await expect.poll(names).toContain("shout");
    await expect.poll(() => changes).toEqual(expect.arrayContaining(["tools", "prompts"]));
    expect(await call("shout", { text: "again" })).toBe("AGAIN");
  });
});
