import { ErrorCode, type PluginResponse } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { caller, failure, silentOn, toolAnswer } from "../../test/support/callers.ts";
import { type RawHost, rawHost } from "../../test/support/raw-host.ts";
import { isToolFailure } from "../hub-client.ts";

describe("streamTool", () => {
  const chunk = (sequence: number, text: string) =>
    ({
      $case: "streamChunk",
      value: { streamId: "s", data: new TextEncoder().encode(text), contentType: "", sequence },
    }) as const;
  const end = (value: object) =>
    ({
      $case: "streamEnd",
      value: { streamId: "s", success: true, errorCode: "", errorMessage: "", totalChunks: 0, ...value },
    }) as const;

  function streaming(messages: PluginResponse["response"][]): RawHost {
    return rawHost(caller, {
      answer: silentOn("streamStart"),
      replies: ({ request }) => (request?.$case === "streamStart" ? messages : undefined),
    });
  }
  async function collect(stream: AsyncIterable<Uint8Array>): Promise<string[]> {
    const pieces: string[] = [];
    for await (const piece of stream) pieces.push(new TextDecoder().decode(piece));
    return pieces;
  }

  it("yields the pieces in order", async () => {
    const { hub } = streaming([chunk(0, "a"), chunk(1, "b"), end({})]).runtime;
    expect(await collect(hub.streamTool("t", { n: 1 }))).toEqual(["a", "b"]);
  });

  it("fails with what the tool reports, after the pieces that came", async () => {
    const { hub } = streaming([
      chunk(0, "a"),
      end({ success: false, errorCode: "handler_error", errorMessage: "broke" }),
    ]).runtime;
    const seen: number[] = [];
    const error = await failure(
      (async () => {
        for await (const piece of hub.streamTool("t")) seen.push(piece.length);
      })(),
    );
    expect(seen).toEqual([1]);
    expect(error.message).toBe("broke");
    expect(isToolFailure(error)?.errorCode).toBe("handler_error");
  });

  it("fails where the stream stops without its end", async () => {
    const { hub } = streaming([chunk(0, "a"), chunk(1, "b")]).runtime;
    expect((await failure(collect(hub.streamTool("t")))).code).toBe(ErrorCode.Protocol);
  });

  it("fails where the hub does not stream", async () => {
    const { hub } = streaming([toolAnswer({ errorCode: "unknown_request", errorMessage: "no" }).response]).runtime;
    expect((await failure(collect(hub.streamTool("t")))).code).toBe(ErrorCode.Unimplemented);
  });

  it("cancels the tool when the loop is left", async () => {
    const host = streaming([chunk(0, "a"), chunk(1, "b"), undefined]);
    for await (const piece of host.runtime.hub.streamTool("t")) {
      expect(piece.length).toBe(1);
      break;
    }
    await host.cancellation();
    expect(host.cancelled).toBe(1);
  });
});
