import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { McpClient } from "../../apps/orchestrator/src/demo/mcp-client.ts";
import { operatorPeer, request, startTestHub } from "../../packages/hub/src/testing/index.ts";
import { describeExisting, existingProgram, Host, type Maker } from "./existing.ts";

const EVIDENCE = `## Changes
- src/login.ts (added)

## Results
- src/login.test.ts passes

## Docs
- docs/login.md describes it`;

/** Host, storage, features, and the program that the client speaks to. */
const CHAINS: readonly (readonly [host: Maker, storage: Maker, features: Maker, stdio: Maker])[] = [
  ["ours", "theirs", "theirs", "theirs"],
  ["ours", "theirs", "theirs", "ours"],
  ["ours", "theirs", "ours", "theirs"],
  ["ours", "ours", "theirs", "ours"],
  ["ours", "ours", "ours", "theirs"],
  ["theirs", "ours", "ours", "ours"],
  ["theirs", "ours", "ours", "theirs"],
  ["theirs", "theirs", "ours", "ours"],
  ["theirs", "ours", "theirs", "theirs"],
];

describeExisting(
  "the existing programs",
  ["orchestrator", "transport-stdio", "tools-features", "storage-markdown"],
  () => {
    it.each(CHAINS)("host %s, storage %s, features %s, stdio %s: a feature from start to end", async (...chain) => {
      const [host, storage, features, stdio] = chain;
      await using running = await Host.start(host, { storage, features });
      const client = await running.client(stdio);
      try {
        await playFeature(client, running.scratch.workspace);
        await manyAtOnce(client);
      } finally {
        await client.close();
      }
      await running.stop();
      if (host === "ours") expect(running.scratch.left()).toEqual([]);
    });

    it("a plugin of theirs that is killed is started again by our hub, and found by those that need it", async () => {
      const plugin = (id: string, name: string, more: object = {}) => ({ id, binary: existingProgram(name)!, ...more });
      await using test = await startTestHub({
        plugins: [
          plugin("storage.markdown", "storage-markdown", { args: ["--workspace=."] }),
          plugin("tools.features", "tools-features"),
        ],
      });
      const peer = await operatorPeer(test);
      const call = async (toolName: string, args: object) => {
        const { response } = await request(peer, { $case: "toolCall", value: { toolName, arguments: args } as never });
        return response?.$case === "toolCall" ? String(response.value.result?.["text"]) : response?.$case;
      };
      expect(await call("create_project", { name: "My App" })).toContain("my-app");
      const storage = test.hub.plugins.find(({ id }) => id === "storage.markdown")!;
      const before = storage.supervised.pid!;
      process.kill(before, "SIGKILL");
      await expect.poll(() => storage.isReady && storage.supervised.pid !== before).toBe(true);
      expect(await call("list_projects", {})).toContain("My App");
    });
  },
);

describeExisting("an existing AI bridge", ["bridge-ollama"], () => {
  it("answers calls that name its provider", async () => {
    using model = await startModel();
    await using test = await startTestHub({
      plugins: [{ id: "bridge.ollama", binary: existingProgram("bridge-ollama")!, provides_ai: ["ollama"] }],
    });
    const peer = await operatorPeer(test);
    const args = { prompt: "Good morning", env: JSON.stringify({ OLLAMA_HOST: model.url }) };
    const value = { toolName: "ai_prompt", arguments: args, provider: "ollama" };
    const { response } = await request(peer, { $case: "toolCall", value: value as never });
    expect(response).toMatchObject({
      value: { success: true, result: { text: expect.stringContaining("heard: Good morning") } },
    });
  });
});

async function playFeature(client: McpClient, workspace: string): Promise<void> {
  const { tools } = (await client.request("tools/list")) as { tools: { name: string; inputSchema: object | null }[] };
  expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(["create_project", "get_feature"]));
  expect(tools.filter(({ inputSchema }) => inputSchema === null)).toEqual([]);
  const call = async (name: string, args: object) => {
    const { text, isError } = await client.callTool(name, args as Record<string, unknown>);
    expect(isError, text).toBe(false);
    return text;
  };
  expect(await call("create_project", { name: "My App" })).toBe("Created project: My App (slug: my-app)");
  const description = "line 1\nline 2";
  const created = await call("create_feature", { project_id: "my-app", title: 'Login: "page"', description });
  const feature_id = /\*\*(FEAT-[A-Z]+)\*\*/.exec(created)![1]!;
  const one = { project_id: "my-app", feature_id };
  await call("add_labels", { ...one, labels: ["a", "b"] });
  await call("set_wip_limits", { project_id: "my-app", max_in_progress: 2 });
  await call("set_wip_limits", { project_id: "my-app", max_in_progress: 3 });
  for (let steps = 0; !(await call("get_feature", one)).includes("**Status:** in-review"); steps += 1) {
    expect(steps).toBeLessThan(12);
    await call("advance_feature", { ...one, evidence: EVIDENCE });
  }
  expect(await call("get_pending_reviews", { project_id: "my-app" })).toContain(feature_id);
  const review = await call("submit_review", { ...one, status: "approved", comment: "fine" });
  expect(review).toContain(`Review submitted for **${feature_id}**: **approved** (in-review -> done)`);
  const missing = await client.callTool("get_feature", { ...one, feature_id: "FEAT-NONE" });
  expect(missing).toMatchObject({ isError: true, text: expect.stringContaining("FEAT-NONE") });

  const file = readFileSync(join(workspace, ".projects", "my-app", "features", `${feature_id}.md`), "utf8");
  expect(file).toMatch(/^---\ncreated_at: "[0-9TZ:-]+"\ndescription: \|-\n {4}line 1\n {4}line 2\nid: FEAT-/);
  expect(file).toContain("\nlabels:\n    - a\n    - b\n");
  expect(file).toContain("\nstatus: done\ntitle: 'Login: \"page\"'\n");
  expect(file).toContain('\n---\n\n# Login: "page"\n\nline 1\nline 2\n');
}

/** More calls than a QUIC peer's first hundred streams. */
async function manyAtOnce(client: McpClient): Promise<void> {
  const calls = Array.from({ length: 250 }, () => client.callTool("get_project_status", { project_id: "my-app" }));
  expect((await Promise.all(calls)).filter(({ isError }) => isError)).toEqual([]);
}

/** Answers as the server of a local model does. */
async function startModel(): Promise<Disposable & { readonly url: string }> {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { model, messages } = JSON.parse(Buffer.concat(chunks).toString()) as {
      model: string;
      messages: { content: string }[];
    };
    const message = { role: "assistant", content: `heard: ${messages.at(-1)!.content}` };
    outgoing.end(JSON.stringify({ model, message, done: true }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void server.close() };
}
