import { ErrorCode, HubError } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { type PluginDefinition, tool } from "../definition.ts";
import type { HubClient } from "../hub-client.ts";
import type { KvChange } from "../kv-client.ts";
import { testPlugin } from "./test-plugin.ts";

/** Runs `work` as a tool of a plugin, so that its calls take the way that a plugin's calls take. */
function pluginThat(work: (hub: HubClient) => Promise<unknown>): PluginDefinition {
  const run = async (_input: unknown, { hub }: { hub: HubClient }) => {
    await work(hub);
  };
  return { id: "keeper", version: "1.0.0", tools: { work: tool({ description: "Works", run }) } };
}

describe("hub.kv in a test", () => {
  it("keeps texts, bytes and JSON", async () => {
    const definition = pluginThat(async ({ kv }) => {
      expect(await kv.get("none")).toBeUndefined();
      expect(await kv.getText("none")).toBeUndefined();
      expect(await kv.getJson("none")).toBeUndefined();
      const version = await kv.set("text", "grüß dich");
      expect(await kv.getText("text")).toBe("grüß dich");
      expect(await kv.setJson("json", { list: [1, null, "x"] })).toBeGreaterThan(version);
      expect(await kv.getJson("json")).toEqual({ list: [1, null, "x"] });
      await kv.set("bytes", Uint8Array.of(0xff, 0));
      expect((await kv.get("bytes"))?.value).toEqual(Uint8Array.of(0xff, 0));
      await expect(kv.getText("bytes")).rejects.toMatchObject({ code: ErrorCode.FailedPrecondition });
      await expect(kv.getJson("text")).rejects.toMatchObject({ code: ErrorCode.FailedPrecondition });
      await expect(kv.setJson("x", undefined as never)).rejects.toMatchObject({ code: ErrorCode.InvalidArgument });
      expect(await kv.delete("text")).toBe(true);
      expect(await kv.delete("text")).toBe(false);
    });
    await using plugin = await testPlugin(definition);
    await plugin.callTool("work");
    expect(plugin.hub.kv.text("json")).toBe('{"list":[1,null,"x"]}');
    expect([...plugin.hub.kv.entries.keys()].sort()).toEqual(["bytes", "json"]);
  });

  it("compares and sets, lets entries expire, and refuses what the hub refuses", async () => {
    const definition = pluginThat(async ({ kv }) => {
      const conflict = { code: ErrorCode.FailedPrecondition };
      const version = await kv.set("lock", "a", { expectedVersion: 0 });
      await expect(kv.set("lock", "b", { expectedVersion: 0 })).rejects.toMatchObject(conflict);
      await expect(kv.delete("lock", { expectedVersion: version + 1 })).rejects.toMatchObject(conflict);
      expect(await kv.set("lock", "b", { expectedVersion: version })).toBeGreaterThan(version);
      await kv.set("short", "x", { ttlMs: 1 });
      await expect.poll(() => kv.get("short")).toBeUndefined();
      const invalid = { code: ErrorCode.InvalidArgument };
      await expect(kv.set("", "x")).rejects.toMatchObject(invalid);
      await expect(kv.set("k".repeat(1_025), "x")).rejects.toMatchObject(invalid);
      await expect(kv.set("k", new Uint8Array(1_048_577))).rejects.toMatchObject(invalid);
    });
    await using plugin = await testPlugin(definition);
    await plugin.callTool("work");
  });

  it("lists page by page, and all of them", async () => {
    const definition = pluginThat(async ({ kv }) => {
      const page = await kv.list("a/", { limit: 2 });
      expect(page.entries.map(({ key }) => key)).toEqual(["a/1", "a/2"]);
      expect(page.nextKey).toBe("a/3");
      const keys: string[] = [];
      for await (const { key, value } of kv.entries("a/", { limit: 2, keysOnly: true })) {
        keys.push(key);
        expect(value).toEqual(new Uint8Array());
      }
      expect(keys).toEqual(["a/1", "a/2", "a/3"]);
    });
    await using plugin = await testPlugin(definition);
    for (const key of ["a/2", "b", "a/1", "a/3"]) plugin.hub.kv.set(key, "x");
    await plugin.callTool("work");
  });

  it("watches: what is there, then what changes", async () => {
    const definition = pluginThat(async ({ kv }) => {
      const heard: KvChange[] = [];
      for await (const change of kv.watch("a/", { existing: true })) {
        heard.push(change);
        if (change.type === "ready") {
          await kv.set("b", "not heard");
          await kv.set("a/2", "new");
          await kv.delete("a/1");
        }
        if (change.type === "removed") break;
      }
      const words = heard.map((change) => `${change.type} ${"entry" in change ? change.entry.key : ""}`);
      expect(words).toEqual(["set a/1", "ready ", "set a/2", "removed a/1"]);
    });
    await using plugin = await testPlugin(definition);
    plugin.hub.kv.set("a/1", "old");
    await plugin.callTool("work");
  });

  it("ends a watch with the call that it belongs to", async () => {
    const ended = Promise.withResolvers<unknown>();
    const definition = pluginThat(async ({ kv }) => {
      try {
        for await (const _change of kv.watch());
      } catch (error) {
        ended.resolve(error);
        throw error;
      }
    });
    await using plugin = await testPlugin(definition);
    await expect(plugin.callTool("work", {}, { timeoutMs: 50 })).rejects.toBeInstanceOf(HubError);
    expect(await ended.promise).toBeInstanceOf(HubError);
  });
});
