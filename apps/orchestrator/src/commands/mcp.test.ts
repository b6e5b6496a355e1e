import { afterEach, describe, expect, it } from "vitest";
import { Scratch } from "../../test/hub.ts";
import { run } from "../../test/run.ts";
import { McpClient } from "../demo/mcp-client.ts";
import { programCommand } from "../program-path.ts";

const clients: McpClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

/** A client as an IDE starts it. */
function connect(scratch: Scratch, ...args: string[]): McpClient {
  const client = new McpClient(programCommand(["mcp", "--workspace", scratch.workspace, ...args]), scratch.env);
  clients.push(client);
  return client;
}

async function toolNames(client: McpClient): Promise<readonly string[]> {
  const { tools } = await client.request("tools/list");
  return (tools as readonly { name: string }[]).map((tool) => tool.name);
}

describe("orchestrator mcp", () => {
  it("starts one hub for all that ask at once, which leaves when they have left", async () => {
    await using scratch = new Scratch();
    const asking = [1, 2, 3].map(() => connect(scratch, "--idle-exit", "300ms"));
    const infos = await Promise.all(asking.map((client) => client.initialize()));
    expect(infos[0]).toMatchObject({
      serverInfo: { version: "0.1.0" },
      capabilities: { tools: { listChanged: true } },
    });
    // The plugins are ready when the first client is answered.
    for (const client of asking) expect(await toolNames(client)).toContain("echo");
    const pid = scratch.hubPid();
    const running = scratch.left().filter((one) => !asking.some((client) => client.pid === one));
    // One hub and one plugin.
    expect(running).toHaveLength(2);
    expect(running).toContain(pid);
    await Promise.all(asking.map((client) => client.close()));
    while (scratch.left().length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(scratch.hubPid()).toBeUndefined();
    const log = await run(["logs", "-n", "20"], { cwd: scratch.workspace, env: scratch.env });
    expect(log).toMatchObject({ code: 0, stderr: expect.stringContaining("the last lines of the one before") });
    expect(log.stdout).toContain("no client for 0.3 s");
  });

  it("joins a hub that runs already", async () => {
    await using scratch = new Scratch();
    const hub = await scratch.serve();
    const client = connect(scratch);
    await client.initialize();
    expect((await client.callTool("echo", { text: "hello" })).structured).toMatchObject({
      text: "hello",
      caller: "transport.stdio",
    });
    await client.close();
    expect(scratch.hubPid()).toBe(hub.child.pid);
  });

  it("goes on with a new hub when the old one is killed", async () => {
    await using scratch = new Scratch();
    const client = connect(scratch, "--idle-exit", "2s");
    await client.initialize();
    await client.callTool("echo", { text: "before" });
    const killed = scratch.hubPid()!;
    process.kill(killed, "SIGKILL");
    const text = async () => {
      try {
        return (await client.callTool("echo", { text: "after" })).structured["text"];
      } catch (error) {
        return (error as Error).message;
      }
    };
    while ((await text()) !== "after") await new Promise((resolve) => setTimeout(resolve, 20));
    expect(scratch.hubPid()).not.toBe(killed);
  });

  it("says why the hub did not start", async () => {
    await using scratch = new Scratch();
    const { code, stderr, stdout } = await run(["mcp", "--workspace", scratch.workspace, "--config", "missing.yaml"], {
      cwd: scratch.workspace,
      env: scratch.env,
    });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      /did not start: it ended with code 1\n[\s\S]*missing\.yaml[\s\S]*hint: Its log is ".*hub\.log"/,
    );
  });
});
