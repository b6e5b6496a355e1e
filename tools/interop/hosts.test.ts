import { join } from "node:path";
import { expect, it } from "vitest";
import { openAuthority } from "../../packages/identity/src/index.ts";
import { Program, startFixture } from "../../packages/runtime/test/support/program.ts";
import { decodeBytes, GoClient } from "./go-client.ts";
import { scratchDirectory, startGoPlugin, withEachGoPeer } from "./with-go.ts";

/** A plugin on our runtime, under hosts written in Go: theirs is the client that calls it, theirs the server it calls back. */
withEachGoPeer("a plugin on our runtime under a Go host", (peer) => {
  it("the stand-alone kind: flags with =, register, boot, lists, calls both ways", async () => {
    using scratch = scratchDirectory();
    // A Go plugin without a hub of its own answers register and serves tools and storage: all that a plugin asks of its host.
    const { program, addr } = await startGoPlugin(peer, [`--certs-dir=${scratch.path}`], {
      INTEROP_ID: "orchestrator",
    });
    await using _host = program;
    await using plugin = startFixture("greeter.ts", [
      `--orchestrator-addr=${addr}`,
      "--listen-addr=localhost:0",
      `--certs-dir=${scratch.path}`,
    ]);
    await using client = await GoClient.connect(peer, {
      addr: await plugin.ready(),
      certsDir: scratch.path,
      name: "orchestrator-to-greeter",
    });
    expect((await client.call({ requestId: "1", register: { id: "another.id" } })).register).toEqual({
      accepted: true,
    });
    expect((await client.call({ requestId: "2", boot: { config: { mood: "good" } } })).boot).toEqual({ ready: true });
    expect((await client.call({ requestId: "3", boot: { config: { mood: "bad" } } })).boot).toEqual({
      error: "Cannot greet in a bad mood",
    });
    const { requestId, listTools } = await client.call({ requestId: "4", listTools: {} });
    expect([requestId, listTools.tools.map((tool: { name: string }) => tool.name)]).toEqual([
      "4",
      expect.arrayContaining(["greet", "count"]),
    ]);
    const greeted = await client.call({
      requestId: "5",
      toolCall: { toolName: "greet", arguments: { name: "Ada" }, callerPlugin: "transport.stdio" },
    });
    expect(greeted.toolCall).toMatchObject({
      success: true,
      result: { text: "Hello Ada", caller: "transport.stdio", mood: "good" },
    });
    expect((await client.tool("refuse")).code).toBe("not_today");
    expect((await client.tool("nobody")).code).toBe("tool_not_found");

    // Back to the host, whose answer ends its stream in a packet of its own now and then.
    for (let count = 0; count < 300; count += 1) {
      const relayed = await client.call({
        requestId: "6",
        toolCall: { toolName: "relay", arguments: { tool: "echo" } },
      });
      expect(relayed.toolCall, `call ${count}`).toMatchObject({
        success: true,
        result: { text: expect.stringContaining("relay") },
      });
    }
    expect((await client.tool("relay", { tool: "fail" })).message).toContain("it broke");
    expect((await client.tool("relay", { tool: "nobody" })).message).toContain("nobody");
  });

  it("the in-process kind: flags as words, no hub, lists first, empty ids, no register, no boot", async () => {
    using scratch = scratchDirectory();
    await (await openAuthority(scratch.path)).leaf("orchestra-host-client");
    await using plugin = startFixture("greeter.ts", ["--listen-addr", "localhost:0", "--certs-dir", scratch.path], {
      env: { ORCHESTRA_WORKSPACE: scratch.path },
    });
    await using client = await GoClient.connect(peer, {
      addr: await plugin.ready(),
      certsDir: scratch.path,
      name: "orchestra-host-client",
    });
    const listed = await client.call({ listTools: {} });
    expect(listed["requestId"] ?? "").toBe("");
    expect(listed["listTools"].tools.length).toBeGreaterThan(3);
    expect((await client.call({ listPrompts: {} })).listPrompts.prompts).toEqual([
      { name: "hello", description: "A greeting", arguments: [{ name: "name", required: true }] },
    ]);
    expect(
      (await client.call({ requestId: "greet", toolCall: { toolName: "greet", arguments: { name: "Ada" } } })).toolCall,
    ).toMatchObject({ success: true });
    expect((await client.call({ health: {} })).health).toMatchObject({ status: "STATUS_HEALTHY" });
    const prompt = await client.call({ promptGet: { promptName: "hello", arguments: { name: "Ada" } } });
    expect(prompt.promptGet.messages[0].content.text).toBe("Say hello to Ada");
    expect((await client.call({ shutdown: { timeoutSeconds: 1 } })).shutdown).toEqual({ clean: true });
  });

  it("serves storage and streams to a Go client, and stops a stream that is cancelled on another one", async () => {
    using scratch = scratchDirectory();
    await (await openAuthority(scratch.path)).leaf("orchestra-host-client");
    await using plugin = startFixture("greeter.ts", [`--certs-dir=${scratch.path}`]);
    await using client = await GoClient.connect(peer, {
      addr: await plugin.ready(),
      certsDir: scratch.path,
      name: "orchestra-host-client",
    });
    const write = { path: "a", content: Buffer.from("x").toString("base64"), storageType: "notes" };
    expect((await client.call({ storageWrite: write })).storageWrite).toEqual({ success: true, newVersion: "1" });
    const { storageRead } = await client.call({ storageRead: { path: "a", storageType: "notes" } });
    expect([decodeBytes(storageRead.content), storageRead.version]).toEqual(["x", "1"]);
    const start = (streamId: string, to?: number) => ({
      requestId: streamId,
      streamStart: { streamId, toolName: "count", arguments: to === undefined ? {} : { to } },
    });
    const counted = await client.stream(start("s1", 20));
    expect(
      counted.responses.flatMap(({ streamChunk }) => (streamChunk ? [decodeBytes(streamChunk.data)] : [])),
    ).toEqual(Array.from({ length: 20 }, (_, index) => String(index + 1)));
    expect(counted.responses.at(-1)!["streamEnd"]).toMatchObject({ success: true, totalChunks: "20" });
    const cancelled = await client.stream(start("s2"), { after: 3, on: "other" });
    expect(cancelled.responses.at(-1)!["streamEnd"]?.success ?? false).toBe(false);
    const left = await client.stream(start("s3"), { after: 3, on: "same" });
    expect(left.responses.length).toBeGreaterThanOrEqual(3);
    expect((await client.tool("greet", { name: "Ada" })).text).toBe("Hello Ada");
  });

  it("is served by a Go storage, and knows a version conflict", async () => {
    using scratch = scratchDirectory();
    const { program, addr } = await startGoPlugin(peer, [`--certs-dir=${scratch.path}`], {
      INTEROP_ID: "orchestrator",
    });
    await using _host = program;
    const flags = [`--orchestrator-addr=${addr}`, `--certs-dir=${scratch.path}`];
    await using plugin = new Program(process.execPath, [
      join(import.meta.dirname, "fixtures", "storing-plugin.ts"),
      ...flags,
    ]);
    await using client = await GoClient.connect(peer, {
      addr: await plugin.ready(),
      certsDir: scratch.path,
      name: "orchestra-host-client",
    });
    const { toolCall } = await client.call({ requestId: "t", toolCall: { toolName: "try" } });
    expect(toolCall.result ?? toolCall).toEqual({
      first: 1,
      conflict: expect.stringContaining("version conflict: expected 0, current 1"),
      read: "one",
      listed: ["p.md"],
      missing: true,
      deleted: true,
    });
  });
});
