import { Client as NewClient } from "@modelcontextprotocol/client";
import { StdioClientTransport as NewTransport } from "@modelcontextprotocol/client/stdio";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { PromptDefinition } from "@orchestrator/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENVIRONMENT, PROGRAM } from "./program.ts";
import { QuicHub } from "./quic-hub.ts";

let quic: QuicHub;
beforeAll(async () => {
  quic = await QuicHub.start();
  const { hub } = quic;
  const outputSchema = { type: "object", properties: { sum: { type: "number" } }, required: ["sum"] };
  hub.addTool("add", ({ a, b }) => ({ text: "sum", sum: Number(a) + Number(b) }), { title: "Add", outputSchema });
  hub.addTool("refuse", () => Promise.reject(new Error("gate_blocked: The gate is closed")));
  // The library drops progress that it reads together with the answer, so the answer waits until it was heard.
  hub.addTool("works", async (_args, { progress }) => {
    progress(1, 2, "half");
    await heardIt.promise;
    return { text: "done" };
  });
  hub.addTool("waits", (_args, { incoming }) => {
    incoming.signal.addEventListener("abort", () => cancelled.resolve());
    return new Promise(() => {});
  });
  hub.addTool("stream", () => [..."abc"], { streaming: true });
  const language = { name: "language", required: true, suggestions: ["Rust"] };
  hub.prompts.push(PromptDefinition.fromPartial({ name: "review", description: "Reviews", arguments: [language] }));
  hub.write("app/features/FEAT-ABC.md", "# Login\n", { status: "todo" });
});
afterAll(async () => {
  await quic[Symbol.asyncDispose]();
});
let heardIt = Promise.withResolvers<void>();
let cancelled = Promise.withResolvers<void>();

const parameters = () => ({
  command: PROGRAM,
  env: ENVIRONMENT as Record<string, string>,
  args: [`--orchestrator-addr=${quic.address}`, `--certs-dir=${quic.certsDir}`],
  stderr: "ignore" as const,
});

/** What both lines of the official library have in common here. */
interface AnyClient extends AsyncDisposable {
  readonly client: Client;
  call(name: string, args?: Record<string, unknown>, options?: object): Promise<unknown>;
  onToolsChanged(listener: () => void): void;
}

async function oldClient(): Promise<AnyClient> {
  const client = new Client({ name: "test", version: "0" });
  const transport = new StdioClientTransport(parameters());
  await client.connect(transport);
  const { ToolListChangedNotificationSchema } = await import("@modelcontextprotocol/sdk/types.js");
  return {
    client,
    call: (name, args = {}, options = {}) => client.callTool({ name, arguments: args }, undefined, options),
    onToolsChanged: (listener) => client.setNotificationHandler(ToolListChangedNotificationSchema, listener),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

async function newClient(mode: "legacy" | "auto"): Promise<AnyClient> {
  const client = new NewClient({ name: "test", version: "0" }, { versionNegotiation: { mode } });
  await client.connect(new NewTransport(parameters()));
  return {
    client: client as unknown as Client,
    call: (name, args = {}, options = {}) => client.callTool({ name, arguments: args }, options),
    onToolsChanged: (listener) => client.setNotificationHandler("notifications/tools/list_changed", listener),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

const CLIENTS: readonly (readonly [string, () => Promise<AnyClient>])[] = [
  ["@modelcontextprotocol/sdk", oldClient],
  ["@modelcontextprotocol/client", () => newClient("legacy")],
  ["@modelcontextprotocol/client, which asks for the stateless revision first", () => newClient("auto")],
];

describe.each(CLIENTS)("%s", (_name, start) => {
  it("uses everything that the program offers", async () => {
    await using any = await start();
    const { client } = any;
    expect(client.getServerVersion()?.name).toBe("orchestra");
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toEqual(["add", "refuse", "stream", "waits", "works"]);
    expect(await any.call("add", { a: 1, b: 2 })).toMatchObject({ structuredContent: { sum: 3 } });
    expect(await any.call("refuse")).toMatchObject({ isError: true, content: [{ text: "The gate is closed" }] });
    expect(await any.call("stream")).toMatchObject({ content: [{ text: "abc" }] });
    await expect(any.call("nobody")).rejects.toThrow(/Unknown tool: nobody/);
    expect((await client.listPrompts()).prompts.map((prompt) => prompt.name)).toEqual(["review"]);
    expect((await client.getPrompt({ name: "review", arguments: { language: "Go" } })).messages).toHaveLength(1);
    const ref = { type: "ref/prompt" as const, name: "review" };
    expect((await client.complete({ ref, argument: { name: "language", value: "" } })).completion.values).toEqual([
      "Rust",
    ]);
    const { resources } = await client.listResources();
    expect(resources.map((resource) => resource.uri)).toEqual(["orchestra://app/features/FEAT-ABC"]);
    const { contents } = await client.readResource({ uri: "orchestra://app/features/FEAT-ABC" });
    expect(contents[0]).toMatchObject({ text: '---\nstatus: "todo"\n---\n\n# Login\n' });
    await expect(client.readResource({ uri: "orchestra://app/features/NOT" })).rejects.toThrow(/not found/i);
    expect((await client.listResourceTemplates()).resourceTemplates.length).toBeGreaterThan(0);
    await client.setLoggingLevel("info");
    await client.ping();
  });

  it("hears progress, cancels, and hears that the tools changed", async () => {
    cancelled = Promise.withResolvers();
    heardIt = Promise.withResolvers();
    await using any = await start();
    const heard: unknown[] = [];
    const onprogress = (progress: unknown) => {
      heard.push(progress);
      heardIt.resolve();
    };
    await any.call("works", {}, { onprogress });
    expect(heard).toEqual([{ progress: 1, total: 2, message: "half" }]);
    const abort = new AbortController();
    const calls = quic.hub.requests.length;
    const refused = expect(any.call("waits", {}, { signal: abort.signal })).rejects.toThrow();
    while (!quic.hub.requests.slice(calls).some((request) => request.request?.$case === "toolCall")) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    abort.abort("enough");
    await Promise.all([refused, cancelled.promise]);
    const changed = new Promise<void>((resolve) => any.onToolsChanged(() => resolve()));
    await quic.hub.publish("orchestrator.capabilities", "changed");
    await changed;
  });
});
