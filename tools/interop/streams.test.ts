import { expect, it } from "vitest";
import { decodeBytes, type GoResult } from "./go-client.ts";
import { connectGo, goPlugin, startHub, withEachGoPeer } from "./with-go.ts";

const start = (streamId: string, args: object, toolName = "count") => ({
  requestId: streamId,
  streamStart: { streamId, toolName, arguments: args },
});
const chunks = (result: GoResult) =>
  result.responses.flatMap(({ streamChunk }) => (streamChunk ? [decodeBytes(streamChunk.data)] : []));
const end = (result: GoResult) => result.responses.at(-1)?.["streamEnd"];

withEachGoPeer("streams through the hub", (peer) => {
  it("come in order, with their numbers, and end once", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)] });
    await using client = await connectGo(peer, hub);
    const result = await client.stream(start("s", { n: 500 }));
    expect(chunks(result)).toEqual(Array.from({ length: 500 }, (_, index) => String(index)));
    expect(result.responses[7]!["streamChunk"]).toEqual({
      streamId: "s",
      data: expect.any(String),
      contentType: "application/octet-stream",
      sequence: "7",
    });
    expect(end(result)).toEqual({ streamId: "s", success: true, totalChunks: "500" });
    expect(result.failed).toBe(0);
  });

  it("fail with the plugin's own words, or when nobody streams that name", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)] });
    await using client = await connectGo(peer, hub);
    const broken = await client.stream(start("s", { n: 2, fail: true }));
    expect(chunks(broken)).toEqual(["0", "1"]);
    expect(end(broken)).toMatchObject({ errorCode: "handler_error", errorMessage: "the stream broke" });
    expect(end(await client.stream(start("s", {}, "nobody")))).toMatchObject({
      streamId: "s",
      errorCode: "tool_not_found",
    });
    expect(end(await client.stream(start("s", {}, "echo")))).toMatchObject({ errorCode: "tool_not_found" });
  });

  it("stop by a stream_cancel on another stream", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)] });
    await using client = await connectGo(peer, hub);
    const result = await client.stream(start("s", { n: 100_000, pause_ms: 1 }), { after: 5, on: "other" });
    expect(chunks(result).length).toBeLessThan(50_000);
    expect(end(result)).toMatchObject({ streamId: "s", errorCode: expect.stringMatching(/cancelled|handler_error/) });
    await expect.poll(() => hub.hub.status().callsInFlight).toBe(0);
  });

  it("stop when the client simply goes away from one, and the connection serves on", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)] });
    await using client = await connectGo(peer, hub);
    const result = await client.stream(start("s", { n: 100_000, pause_ms: 1 }), { after: 5, on: "same" });
    expect(chunks(result).length).toBeLessThan(50_000);
    await expect.poll(() => hub.hub.status().callsInFlight).toBe(0);
    expect((await client.tool("echo", { still: "here" })).text).toContain("here");
  });

  it("run one after another beyond the peer's credit of 100", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)] });
    await using client = await connectGo(peer, hub);
    for (let count = 0; count < 150; count += 1) {
      expect(chunks(await client.stream(start(`s${count}`, { n: 3 })))).toEqual(["0", "1", "2"]);
    }
  });
});
