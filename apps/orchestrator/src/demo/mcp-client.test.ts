import { expect, it } from "vitest";
import { McpClient } from "./mcp-client.ts";

/** A server that has no tool when it is asked first, says so when it has one, and ends when it is asked a third time. */
const server = `
let asked = 0;
const say = (message) => console.log(JSON.stringify({ jsonrpc: "2.0", ...message }));
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id } = JSON.parse(line);
  asked += 1;
  if (asked === 3) process.exit(0);
  say({ id, result: { tools: asked === 1 ? [] : [{ name: "late" }] } });
  if (asked === 1) setImmediate(() => say({ method: "notifications/tools/list_changed" }));
});
`;

it("waits for a tool whose plugin is not up yet, and not for a server that is gone", async () => {
  const client = new McpClient([process.execPath, "-e", server], process.env);
  expect(await client.toolsWith("late")).toEqual([{ name: "late" }]);
  await expect(client.toolsWith("never")).rejects.toThrow("The MCP server is gone: it ended with code 0");
  await expect(client.toolsWith("never")).rejects.toThrow("The MCP server is gone");
  await client.close();
});
