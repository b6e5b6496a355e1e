import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type PluginDefinition, tool } from "../definition.ts";
import { isToolFailure } from "../hub-client.ts";
import { memoryStorage } from "./memory-storage.ts";
import { testPlugin } from "./test-plugin.ts";

const journal = () => {
  const seen: string[] = [];
  const definition = {
    id: "journal",
    version: "1.0.0",
    flags: { workspace: "." },
    needs: { storage: ["markdown"], tools: ["now"], events: ["clock"] },
    setup: (flags) => void seen.push(`setup ${flags["workspace"]}`),
    boot(config) {
      if (config["mode"] === "wrong") throw new Error("No such mode");
      seen.push(`boot ${config["mode"] ?? "-"}`);
    },
    tools: {
      write: tool({
        description: "Writes an entry",
        input: z.object({ text: z.string() }),
        run: async ({ text }, { hub, caller }) => {
          const { text: now } = await hub.callTool("now");
          const version = await hub.storage().write(`${String(now)}.md`, text, { metadata: { by: caller } });
          await hub.publish("journal", "written", { version });
          return { version };
        },
      }),
      words: tool({
        description: "One by one",
        stream: async function* () {
          yield "a";
          yield "b";
        },
      }),
      copy: tool({
        description: "Relays a stream",
        async *stream(_input, { hub }) {
          yield* hub.streamTool("source");
        },
      }),
    },
    prompts: { reflect: { description: "Looks back", get: () => "What did you learn?" } },
    storage: { archive: memoryStorage() },
    onEvent: (event) => void seen.push(`event ${event.type}`),
    shutdown: () => void seen.push("shutdown"),
  } satisfies PluginDefinition;
  return { definition, seen };
};

describe("testPlugin", () => {
  it("runs a plugin from setup to shutdown, with what other plugins offer", async () => {
    const { definition, seen } = journal();
    {
      const hub = { tools: { now: () => "2030-01-01" } };
      await using plugin = await testPlugin(definition, { flags: { workspace: "/w" }, config: { mode: "x" }, hub });
      expect(await plugin.callTool("write", { text: "Dear diary" })).toEqual({ version: 1 });
      const stored = plugin.hub.storage().documents.get("2030-01-01.md");
      expect(new TextDecoder().decode(stored?.content)).toBe("Dear diary");
      expect(stored?.metadata).toEqual({ by: "test" });
      expect(plugin.hub.toolCalls).toMatchObject([{ name: "now", input: {} }]);
      expect(plugin.hub.published).toMatchObject([
        { topic: "journal", type: "written", source: "journal", payload: { version: 1 } },
      ]);
      await plugin.deliver("clock", "tick");
      expect(await plugin.health()).toMatchObject({ status: "healthy" });
    }
    expect(seen).toEqual(["setup /w", "boot x", "event tick", "shutdown"]);
  });

  it("calls its tools, streams, prompts and storage as a hub would", async () => {
    const streams = {
      source: async function* () {
        yield "x";
        yield "y";
      },
    };
    await using plugin = await testPlugin(journal().definition, { hub: { streams } });
    const text = async (name: string) => {
      let all = "";
      for await (const piece of plugin.streamTool(name)) all += new TextDecoder().decode(piece);
      return all;
    };
    expect(await text("words")).toBe("ab");
    expect(await text("copy")).toBe("xy");
    expect(await plugin.getPrompt("reflect")).toMatchObject({ messages: [{ text: "What did you learn?" }] });
    expect((await plugin.listTools()).map(({ name, streaming }) => [name, streaming])).toEqual([
      ["write", false],
      ["words", true],
      ["copy", true],
    ]);
    expect(await plugin.storage("archive").write("a.md", "x", { expectedVersion: 0 })).toBe(1);
    await expect(plugin.storage("archive").write("a.md", "x", { expectedVersion: 0 })).rejects.toMatchObject({
      code: ErrorCode.AlreadyExists,
    });
    expect(await plugin.storage("archive").list()).toMatchObject([{ path: "a.md" }]);
  });

  it("fails as a hub would", async () => {
    await using plugin = await testPlugin(journal().definition);
    const failed = await plugin.callTool("write", {}).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: ErrorCode.InvalidArgument });
    expect(isToolFailure(failed as never)?.errorCode).toBe("validation_error");
    // The test's hub has no tool "now".
    await expect(plugin.callTool("write", { text: "x" })).rejects.toMatchObject({ code: ErrorCode.NotFound });
  });

  it("refuses what a host would refuse", async () => {
    const { definition } = journal();
    await expect(testPlugin(definition, { config: { mode: "wrong" } })).rejects.toThrow("No such mode");
    const input = { type: "object", properties: { a: { type: "strange" } } } as const;
    const tools = { bad: tool({ description: "x", input, run: () => "" }) };
    await expect(testPlugin({ ...definition, tools })).rejects.toThrow(
      /input schema of tool "bad" is not a valid JSON Schema/,
    );
    await expect(testPlugin({ ...definition, id: "../x" })).rejects.toThrow(/Plugin id/);
  });

  it("leaves the boot to the test where it is asked to", async () => {
    const { definition, seen } = journal();
    await using plugin = await testPlugin(definition, { config: false });
    expect(seen).toEqual(["setup ."]);
    await plugin.boot({ mode: "late" });
    expect(seen).toEqual(["setup .", "boot late"]);
    expect(await plugin.shutdown()).toBe(true);
    expect(seen.at(-1)).toBe("shutdown");
  });

  it("brings events that a plugin publishes back to its own listeners", async () => {
    const heard = Promise.withResolvers<unknown>();
    await using plugin = await testPlugin({
      id: "echo",
      version: "1",
      tools: {
        start: tool({
          description: "Listens and speaks",
          run: async (_input, { hub }) => {
            await hub.subscribe("self", (event) => heard.resolve(event.payload));
            await hub.publish("self", "said", { word: "hi" });
          },
        }),
      },
    });
    await plugin.callTool("start");
    expect(await heard.promise).toEqual({ word: "hi" });
  });
});
