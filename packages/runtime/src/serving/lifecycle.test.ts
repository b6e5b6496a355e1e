import { ErrorCode, fromWireCode, HealthResult_Status, HubError } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { rawHost, toolCall } from "../../test/support/raw-host.ts";
import { tool } from "../definition.ts";
import { memoryStorage } from "../testing/memory-storage.ts";

const definition = { id: "t", version: "1.0.0" };

describe("health", () => {
  const health = async (check?: () => never | { status: "degraded"; message: string }) =>
    (await rawHost({ ...definition, ...(check && { health: check }) }).ask({ $case: "health", value: {} })).response
      ?.value;

  it("is good where nobody says otherwise", async () => {
    expect(await health()).toMatchObject({ status: HealthResult_Status.STATUS_HEALTHY, message: "ok" });
  });

  it("is what the plugin says, also by throwing", async () => {
    expect(await health(() => ({ status: "degraded", message: "slow disk" }))).toMatchObject({
      status: HealthResult_Status.STATUS_DEGRADED,
      message: "slow disk",
    });
    const broken = await health(() => {
      throw new Error("no disk");
    });
    expect(broken).toMatchObject({ status: HealthResult_Status.STATUS_UNHEALTHY, message: "no disk" });
  });
});

describe("prompts", () => {
  const prompts = {
    talk: {
      description: "A talk",
      arguments: [{ name: "topic", required: true, suggestions: ["cats"] }, { name: "tone" }],
      get: ({ topic, tone }: Record<string, string>) => [
        { role: "user" as const, text: `About ${topic}` },
        { role: "assistant" as const, text: tone ?? "Gladly" },
      ],
    },
  };
  const get = (promptName: string, args: Record<string, string> = {}) =>
    rawHost({ ...definition, prompts }).ask({ $case: "promptGet", value: { promptName, arguments: args } });

  it("are filled in", async () => {
    expect((await get("talk", { topic: "cats" })).response?.value).toMatchObject({
      description: "A talk",
      messages: [
        { role: "user", content: { type: "text", text: "About cats" } },
        { role: "assistant", content: { type: "text", text: "Gladly" } },
      ],
    });
  });

  it("say in their description why they are not", async () => {
    expect((await get("talk")).response?.value).toMatchObject({
      messages: [],
      description: 'Prompt "talk" needs "topic"',
    });
    const unknown = await get("toString");
    expect(unknown.response?.value).toMatchObject({ messages: [], description: expect.stringContaining("toString") });
    expect(fromWireCode(unknown.error!.code)).toBe(ErrorCode.NotFound);
  });

  it("are listed with what may be suggested", async () => {
    const listed = await rawHost({ ...definition, prompts }).ask(
      { $case: "listPrompts", value: {} },
      { requestId: "x" },
    );
    expect(listed).toMatchObject({
      requestId: "x",
      response: {
        value: {
          prompts: [{ name: "talk", arguments: [{ name: "topic", required: true, suggestions: ["cats"] }, {}] }],
        },
      },
    });
  });
});

describe("storage", () => {
  const storage = { markdown: memoryStorage(), notes: memoryStorage() };
  const host = rawHost({ ...definition, storage });
  const bytes = new TextEncoder().encode("hello");
  const write = (path: string, expectedVersion: number, storageType = "") =>
    host.ask({
      $case: "storageWrite",
      value: { path, content: bytes, metadata: { k: 1 }, expectedVersion, storageType },
    });
  const read = (path: string, storageType = "") => host.ask({ $case: "storageRead", value: { path, storageType } });

  it("stores by type, with markdown for none", async () => {
    expect((await write("a.md", 0)).response?.value).toMatchObject({ success: true, newVersion: 1 });
    expect((await read("a.md", "markdown")).response?.value).toMatchObject({ version: 1, metadata: { k: 1 } });
    expect(storage.notes.documents.size).toBe(0);
    const listed = await host.ask({ $case: "storageList", value: { prefix: "", pattern: "", storageType: "" } });
    expect(listed.response?.value).toMatchObject({ entries: [{ path: "a.md", size: 5, version: 1 }] });
  });

  it("answers nothing for what is not there, and an error for a type that is not there", async () => {
    const absent = await read("none.md");
    expect(absent.response).toMatchObject({ $case: "storageRead", value: { version: 0, metadata: undefined } });
    expect(absent.error).toBeUndefined();
    const stranger = await read("a.md", "sql");
    expect(stranger.response).toMatchObject({ $case: "storageRead", value: { version: 0 } });
    expect(fromWireCode(stranger.error!.code)).toBe(ErrorCode.NotFound);
    const remove = { $case: "storageDelete", value: { path: "none.md", storageType: "" } } as const;
    expect(await host.ask(remove)).toMatchObject({ response: { value: { success: false } }, error: undefined });
  });

  it("gives the provider's words for a write that it refuses", async () => {
    await write("b.md", 0);
    const again = await write("b.md", 0);
    expect(again.response?.value).toMatchObject({ success: false, error: expect.stringContaining("already exists") });
    expect(fromWireCode(again.error!.code)).toBe(ErrorCode.AlreadyExists);
    expect((await write("b.md", 7)).response?.value).toMatchObject({
      error: "version conflict: expected 7, current 1",
    });
  });

  it("lets an empty file that nobody counted be there", async () => {
    storage.markdown.documents.set("blank.md", { content: new Uint8Array(), metadata: undefined, version: 0 });
    expect((await read("blank.md")).response?.value).toMatchObject({ metadata: {} });
  });
});

describe("events", () => {
  it("reach the plugin, which answers when it is done with them", async () => {
    const done = Promise.withResolvers<void>();
    const heard: string[] = [];
    const host = rawHost({
      ...definition,
      needs: { events: ["news"] },
      async onEvent(event) {
        await done.promise;
        heard.push(`${event.topic} ${event.type} ${event.source} ${event.timestampMs}`);
      },
    });
    const timestamp = { seconds: 3, nanos: 5_000_000 };
    const value = { topic: "news", eventType: "e", payload: {}, sourcePlugin: "p", subscriptionId: "hub-1", timestamp };
    const answer = host.open({ $case: "publish", value });
    await host.ask({ $case: "health", value: {} });
    expect(answer.messages).toHaveLength(0);
    done.resolve();
    expect((await answer.last).response).toBeUndefined();
    expect(heard).toEqual(["news e p 3005"]);
  });

  it("are acknowledged by a plugin whose handler throws", async () => {
    const onEvent = () => {
      throw new Error("deaf");
    };
    const host = rawHost({ ...definition, onEvent });
    const value = {
      topic: "t",
      eventType: "e",
      payload: undefined,
      sourcePlugin: "",
      subscriptionId: "",
      timestamp: undefined,
    };
    expect(await host.ask({ $case: "publish", value })).toMatchObject({ response: undefined, error: undefined });
    expect(host.logs[0]).toMatch(/The handler of event "e" failed: deaf/);
  });
});

describe("other requests", () => {
  it("are answered the way existing plugins do", async () => {
    const host = rawHost(definition);
    const subscribed = await host.ask({ $case: "subscribe", value: { subscriptionId: "u", topic: "x", filters: {} } });
    expect(subscribed.response).toMatchObject({ $case: "eventDelivery", value: { subscriptionId: "u", topic: "x" } });
    expect((await host.ask({ $case: "unsubscribe", value: { subscriptionId: "u" } })).response).toBeUndefined();
    const nothing = await host.ask(undefined, { requestId: "" });
    expect(nothing).toMatchObject({ requestId: "", response: { value: { errorCode: "unknown_request" } } });
  });

  it("get an answer even where they do not decode", async () => {
    const answer = await rawHost(definition).openBytes(new Uint8Array([0x0a, 0xff])).last;
    expect(answer.response?.value).toMatchObject({ success: false });
    expect(fromWireCode(answer.error!.code)).toBe(ErrorCode.Protocol);
  });

  it("are answered where the sender leaves its side open", async () => {
    const host = rawHost(definition);
    expect((await host.ask({ $case: "health", value: {} }, { last: false })).response?.$case).toBe("health");
  });
});

describe("a plugin that was shut down", () => {
  it("refuses work, and still says how it is", async () => {
    const tools = { t: tool({ description: "t", run: () => "done" }) };
    const host = rawHost({ ...definition, tools, shutdown: () => Promise.reject(new Error("disk full")) });
    const stopped = await host.ask({ $case: "shutdown", value: { timeoutSeconds: 1 } });
    expect(stopped.response?.value).toMatchObject({ clean: false });
    expect(host.logs[0]).toMatch(/The shutdown hook failed: disk full/);
    expect(fromWireCode((await host.ask(toolCall("t"))).error!.code)).toBe(ErrorCode.Unavailable);
    expect((await host.ask({ $case: "health", value: {} })).response?.$case).toBe("health");
  });

  it("fails its own calls", async () => {
    const host = rawHost(definition);
    host.link.abort(new HubError(ErrorCode.Internal, "pulled"));
    await expect(host.runtime.hub.callTool("t")).rejects.toMatchObject({ code: ErrorCode.Unavailable });
  });
});
