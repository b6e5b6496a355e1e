import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { TestClient } from "../test/client.ts";
import { FakeHub } from "../test/fake-hub.ts";
import { runStdio } from "./index.ts";

const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n';

/** A gateway whose output nobody reads until the test does. */
function unread(hub: FakeHub, signal?: AbortSignal) {
  const input = new PassThrough({ highWaterMark: 64 });
  const output = new PassThrough({ highWaterMark: 64 });
  const ended = runStdio({ connect: hub.connect(), input, output, log: () => {}, signal });
  return { input, output, ended };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a client that does not read", () => {
  it("is not read either, until it does", async () => {
    const { input, output, ended } = unread(new FakeHub());
    while (!input.isPaused()) {
      input.write(PING);
      await turn();
    }
    for (let i = 0; i < 20 && !input.writableNeedDrain; i++) {
      input.write(PING);
      await turn();
    }
    expect(input.writableNeedDrain).toBe(true);
    output.resume();
    while (input.isPaused()) await turn();
    input.end();
    expect(await ended).toBe("input-ended");
  });
});

describe("the end", () => {
  it("comes when the output breaks", async () => {
    const { output, ended } = unread(new FakeHub());
    await turn();
    output.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    expect(await ended).toBe("output-closed");
  });

  it("comes when the input breaks", async () => {
    const { input, ended } = unread(new FakeHub());
    await turn();
    input.destroy(new Error("read EIO"));
    expect(await ended).toBe("input-ended");
  });

  it.each(["before", "after"])("comes when it is aborted %s the start", async (when) => {
    const abort = new AbortController();
    if (when === "before") abort.abort();
    const hub = new FakeHub();
    const { ended } = unread(hub, abort.signal);
    await turn();
    abort.abort();
    expect(await ended).toBe("aborted");
    await turn();
    expect(hub.links.size).toBe(0);
  });

  it("cancels nothing that is still under way when only the input ended", async () => {
    await using client = new TestClient();
    const gate = Promise.withResolvers<void>();
    client.hub.addTool("slow", async () => {
      await gate.promise;
      return { text: "done" };
    });
    await client.initialize();
    client.request("tools/call", { name: "slow" }, "s");
    client.input.end();
    await client.hub.saw("toolCall");
    gate.resolve();
    expect(await client.ended).toBe("input-ended");
    expect((await client.saw((message) => message["id"] === "s"))["result"].content[0].text).toBe("done");
  });
});

describe("a line", () => {
  it("that is too long or no text costs one error, and nothing else", async () => {
    await using client = new TestClient({ maxLineBytes: 300 });
    client.write("x".repeat(1000));
    client.write("x".repeat(1000));
    client.write("\n");
    client.write(new Uint8Array([0xff, 0x0a]));
    client.write("{\n");
    await client.ask("ping");
    expect(
      client.messages.map((message) => [message["id"], message["error"]?.code, message["error"]?.message]),
    ).toEqual([
      [null, -32600, "Invalid request: The line is longer than 300 bytes"],
      [null, -32600, "Invalid request: The line is not UTF-8"],
      [null, -32700, "Parse error: the message is not JSON"],
      ["r1", undefined, undefined],
    ]);
  });
});
