import { describe, expect, it } from "vitest";
import { TestClient } from "../../test/client.ts";

async function* pieces(...all: (string | Uint8Array)[]) {
  yield* all;
}

describe("streaming tools", () => {
  it.each([
    ["which the hub marks", "streams", { streaming: true }],
    ["which an old plugin does not mark", "old-streams", {}],
  ])("%s send pieces as progress and the whole as the result", async (_what, name, definition) => {
    await using client = new TestClient();
    const e = new TextEncoder().encode("é");
    client.hub.addTool(name, () => pieces("one ", e.subarray(0, 1), e.subarray(1), " two"), definition);
    await client.initialize();
    const { result } = await client.call(name, { a: 1 }, { progressToken: 1 });
    expect(result).toEqual({ content: [{ type: "text", text: "one é two" }] });
    const heard = client.messages.filter((message) => message["method"] === "notifications/progress");
    expect(heard.map(({ params }) => [params.progress, params.message])).toEqual([
      [1, "one "],
      [2, undefined],
      [3, "é"],
      [4, " two"],
    ]);
    const [request] = await client.hub.saw("streamStart");
    expect(request?.request?.value).toMatchObject({ toolName: name, arguments: { a: 1 } });
    await client.call(name);
    expect((await client.hub.saw("streamStart")).length).toBe(2);
    expect(client.hub.requests.filter((each) => each.request?.$case === "toolCall").length).toBe(
      name === "streams" ? 0 : 1,
    );
  });

  it("say what they said before they failed", async () => {
    await using client = new TestClient();
    client.hub.addTool(
      "breaks",
      async function* () {
        yield "so far";
        throw new Error("out of paper");
      },
      { streaming: true },
    );
    await client.initialize();
    const { result } = await client.call("breaks");
    expect(result).toEqual({ content: [{ type: "text", text: "so far\nout of paper" }], isError: true });
  });

  it("are cancelled, and stopped when they say too much", async () => {
    await using client = new TestClient();
    const stopped: string[] = [];
    const both = Promise.withResolvers<void>();
    const endless = (name: string, piece: string) =>
      client.hub.addTool(
        name,
        (_args, { incoming }) => {
          incoming.signal.addEventListener("abort", () => {
            if (stopped.push(name) === 2) both.resolve();
          });
          return (async function* () {
            while (!incoming.signal.aborted) {
              yield piece;
              await new Promise((resolve) => setImmediate(resolve));
            }
          })();
        },
        { streaming: true },
      );
    endless("drips", ".");
    endless("floods", "x".repeat(1 << 20));
    await client.initialize();
    client.request("tools/call", { name: "drips" }, "d");
    const { error } = await client.call("floods");
    expect(error).toMatchObject({ code: -32603, data: { code: "RESOURCE_EXHAUSTED" } });
    client.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "d" } });
    await both.promise;
    expect(stopped).toEqual(["floods", "drips"]);
  });
});
