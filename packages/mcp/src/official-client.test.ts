import { Client as NewClient } from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, it } from "vitest";
import { testBackend } from "../test/harness.ts";
import { createMcpSession } from "./index.ts";

/** Joins a session to one end of the library's own pair of transports. */
async function serve() {
  const backend = testBackend();
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
  const session = createMcpSession({
    backend,
    info: { name: "orchestra", version: "1.2.3", instructions: "Begin" },
    send: (text) => void serverSide.send(JSON.parse(text)),
  });
  serverSide.onmessage = (message) => session.receive(message);
  await serverSide.start();
  return { backend, session, transport: clientSide };
}

type Options = { onprogress?: (progress: unknown) => void; signal?: AbortSignal };

const newClient = () => new NewClient({ name: "t", version: "0" });

/** The two lines of the library differ in one signature that is used here. */
const CLIENTS = [
  [
    "@modelcontextprotocol/sdk",
    () => new Client({ name: "t", version: "0" }),
    (client: Client, name: string, options: Options) => client.callTool({ name }, undefined, options),
  ],
  [
    "@modelcontextprotocol/client",
    () => newClient() as unknown as Client,
    (client: Client, name: string, options: Options) =>
      (client as unknown as ReturnType<typeof newClient>).callTool({ name }, options),
  ],
] as const;

describe.each(CLIENTS)("%s", (_name, createClient, callTool) => {
  it("goes through every method", async () => {
    const { session, transport } = await serve();
    const client = createClient();
    await client.connect(transport);
    expect(client.getServerVersion()).toMatchObject({ name: "orchestra", version: "1.2.3" });
    expect(client.getInstructions()).toBe("Begin");
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(["alpha", "echo", "zeta"]);
    expect(await client.callTool({ name: "data", arguments: {} })).toMatchObject({ structuredContent: { count: 2 } });
    expect(await client.callTool({ name: "fails", arguments: {} })).toMatchObject({ isError: true });
    await expect(client.callTool({ name: "nobody", arguments: {} })).rejects.toThrow(/Unknown tool: nobody/);
    expect((await client.listPrompts()).prompts).toHaveLength(1);
    expect((await client.getPrompt({ name: "review", arguments: { language: "Go" } })).messages).toHaveLength(1);
    const { resources } = await client.listResources();
    expect((await client.readResource({ uri: resources[0]!.uri })).contents[0]).toMatchObject({ text: "# Login" });
    await expect(client.readResource({ uri: "orchestra://x" })).rejects.toThrow(/Resource not found/);
    expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(1);
    const ref = { type: "ref/prompt" as const, name: "review" };
    expect((await client.complete({ ref, argument: { name: "language", value: "ru" } })).completion.values).toEqual([
      "Rust",
    ]);
    await client.setLoggingLevel("debug");
    await client.ping();
    await client.close();
    session.close();
  });

  it("hears progress and cancels", async () => {
    const { session, backend, transport } = await serve();
    const client = createClient();
    await client.connect(transport);
    backend.tools.set("works", (_input, { onProgress }) => {
      onProgress?.({ progress: 1, total: 2, message: "half" });
      return { ok: true, value: { text: "done" } };
    });
    const heard: unknown[] = [];
    await callTool(client, "works", { onprogress: (progress) => void heard.push(progress) });
    expect(heard).toEqual([{ progress: 1, total: 2, message: "half" }]);
    const abort = new AbortController();
    const waiting = callTool(client, "waits", { signal: abort.signal });
    const refused = expect(waiting).rejects.toThrow();
    while (backend.seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
    abort.abort("enough");
    await refused;
    while (backend.seen[1]?.call.signal.aborted !== true) await new Promise((resolve) => setImmediate(resolve));
    await client.close();
    session.close();
  });
});

it("tells the client that a list changed", async () => {
  const { session, backend, transport } = await serve();
  const client = new Client({ name: "t", version: "0" });
  const heard = new Promise<void>((resolve) =>
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve()),
  );
  await client.connect(transport);
  backend.changed("tools");
  await heard;
  await client.close();
  session.close();
});
