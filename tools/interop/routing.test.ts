import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { fixture } from "../../packages/hub/test/plugins.ts";
import { decodeBytes } from "./go-client.ts";
import { connectGo, goPlugin, startHub, withEachGoPeer } from "./with-go.ts";

/** A Go client, our hub, a Go plugin: nothing of ours but the middle. */
withEachGoPeer("Go client, hub, Go plugin", (peer) => {
  it("routes tools with the verified caller, passes errors on, and answers nothing with nothing", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)] });
    await using client = await connectGo(peer, hub);
    const echoed = await client.tool("echo", { n: 3, s: "é" }, { provider: "nobody" });
    expect(echoed.text).toBe('{"n":3,"s":"é"} caller=transport.stdio provider=nobody');
    expect(await client.tool("fail")).toEqual({ text: "", code: "handler_error", message: "it broke" });
    expect(await client.tool("nothing")).toEqual({ text: "", code: "", message: "" });
  });

  it("lists tools and prompts, and gets a prompt", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)] });
    await using client = await connectGo(peer, hub);
    const { listTools } = await client.call({ listTools: {} });
    const names = listTools.tools.map((tool: { name: string }) => tool.name);
    expect(names.sort()).toEqual(["big", "count", "echo", "exit", "fail", "hub", "log", "nothing", "received", "wait"]);
    const { listPrompts } = await client.call({ listPrompts: {} });
    expect(listPrompts.prompts).toEqual([
      { name: "greet", description: "Greets", arguments: [{ name: "name", description: "whom", required: true }] },
    ]);
    const { promptGet } = await client.call({ promptGet: { promptName: "greet", arguments: { name: "Ada" } } });
    expect(promptGet).toEqual({
      description: "Greets",
      messages: [{ role: "user", content: { type: "text", text: "Hello, Ada" } }],
    });
  });

  it("routes storage by type, with compare-and-set", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)] });
    await using client = await connectGo(peer, hub);
    const storageType = "interop";
    const write = (content: string, expectedVersion: number) =>
      client.call({
        storageWrite: {
          path: "a/b.md",
          content: Buffer.from(content).toString("base64"),
          expectedVersion,
          storageType,
        },
      });
    expect((await write("one", 0)).storageWrite).toEqual({ success: true, newVersion: "1" });
    expect((await write("two", 0)).storageWrite).toMatchObject({ error: "version conflict: expected 0, current 1" });
    const { storageRead } = await client.call({ storageRead: { path: "a/b.md", storageType } });
    expect([decodeBytes(storageRead.content), storageRead.version]).toEqual(["one", "1"]);
    const { storageList } = await client.call({ storageList: { prefix: "a", storageType } });
    expect(storageList.entries).toEqual([{ path: "a/b.md", size: "3", version: "1" }]);
    expect((await client.call({ storageDelete: { path: "a/b.md", storageType } })).storageDelete).toEqual({
      success: true,
    });
  });

  it("gives every failure the shape that Go peers expect", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)] });
    await using client = await connectGo(peer, hub);
    expect(await client.tool("nobody")).toMatchObject({
      code: "tool_not_found",
      message: expect.stringContaining("nobody"),
    });
    expect((await client.call({ promptGet: { promptName: "nobody" } })).promptGet).toMatchObject({
      description: expect.stringContaining("nobody"),
    });
    expect((await client.call({ storageRead: { path: "x", storageType: "nobody" } })).storageRead).toEqual({});
    expect((await client.call({ storageWrite: { path: "x", storageType: "nobody" } })).storageWrite).toEqual({
      error: expect.stringContaining("nobody"),
    });
    expect((await client.call({ storageDelete: { path: "x", storageType: "nobody" } })).storageDelete).toEqual({});
    expect((await client.call({ storageList: { storageType: "nobody" } })).storageList).toEqual({});
    for (const request of [{ boot: {} }, { shutdown: {} }, {}]) {
      expect((await client.call(request)).toolCall).toMatchObject({ errorCode: "unknown_request" });
    }
    for (const request of [
      { subscribe: { subscriptionId: "s", topic: "t" } },
      { publish: { topic: "t" } },
      { unsubscribe: { subscriptionId: "s" } },
    ]) {
      expect(Object.keys(await client.call({ requestId: "ack", ...request }))).toEqual(["requestId"]);
    }
    expect((await client.call({ health: {} })).health).toMatchObject({
      status: "STATUS_HEALTHY",
      message: "orchestrator ok",
    });
    const register = async (id: string) => (await client.call({ register: { id } })).register;
    expect(await register("transport.stdio")).toEqual({ accepted: true });
    expect(await register("someone")).toEqual({ rejectReason: expect.stringContaining('"someone"') });
  });

  it("lets the plugin call back under the identity of its certificate, and use no more than it needs", async () => {
    await using hub = await startHub({
      plugins: [goPlugin(peer), fixture("tools.a", { STORAGE: "markdown,secret", TOOLS: "whoami" })],
    });
    await using client = await connectGo(peer, hub);
    const callback = async (request: object) =>
      JSON.parse((await client.tool("hub", { request: JSON.stringify(request) })).text);
    const whoami = await callback({
      requestId: "r",
      toolCall: { toolName: "whoami", callerPlugin: "orchestrator-operator" },
    });
    expect(whoami.toolCall.result.text).toBe(`${peer.id}|${peer.id}`);
    const denied = await callback({ requestId: "r", storageWrite: { path: "x", storageType: "secret" } });
    expect(denied.storageWrite.error).toContain("needs_storage");
  });

  it("gives the plugin a directory of its own: the real authority's certificate, a key that signs nothing", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)] });
    const own = join(hub.authority.directory, "plugins", peer.id);
    expect(readFileSync(join(own, "ca.crt"), "utf8")).toBe(hub.authority.caPem);
    const authority = new X509Certificate(hub.authority.caPem);
    const key = (directory: string) => readFileSync(join(directory, "ca.key"), "utf8");
    expect(key(own)).not.toBe(key(hub.authority.directory));
    for (const name of [peer.id, `${peer.id}-client`]) {
      const leaf = new X509Certificate(readFileSync(join(own, `${name}.crt`)));
      expect(leaf.verify(authority.publicKey)).toBe(true);
      expect(leaf.subject).toBe(`O=Orchestra\nCN=${name}`);
    }
    expect(hub.hub.plugins[0]!.supervised.state.name).toBe("ready");
  });
});
