import { ErrorCode, fromWireCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { type RawHost, rawHost, streamStart } from "../../test/support/raw-host.ts";
import { tool } from "../definition.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function plugin() {
  const seen = { left: Promise.withResolvers<void>(), produced: 0, aborted: Promise.withResolvers<unknown>() };
  const definition = {
    id: "t",
    version: "1.0.0",
    tools: {
      mixed: tool({
        description: "One of each",
        stream: async function* () {
          yield new Uint8Array([1, 2]);
          yield "héllo";
          yield { n: 1 };
        },
      }),
      forever: tool({
        description: "Until it is told to stop",
        stream: async function* (_input, { signal }) {
          signal.addEventListener("abort", () => seen.aborted.resolve(signal.reason));
          try {
            for (;;) {
              seen.produced++;
              yield new Uint8Array(1024);
              await new Promise((resolve) => setImmediate(resolve));
            }
          } finally {
            seen.left.resolve();
          }
        },
      }),
      stuck: tool({
        description: "Never comes to its second piece",
        stream: async function* (_input, { signal }) {
          signal.addEventListener("abort", () => seen.aborted.resolve(signal.reason));
          yield "first";
          await new Promise(() => {});
        },
      }),
      breaks: tool({
        description: "Fails half way",
        stream: async function* () {
          yield "a";
          throw new Error("half way");
        },
      }),
      huge: tool({
        description: "Too large a piece",
        stream: async function* () {
          yield "a";
          yield new Uint8Array(17 * 1024 * 1024);
        },
      }),
      unary: tool({ description: "Plain", run: () => "x" }),
    },
  };
  return { definition, seen };
}

async function run(host: RawHost, name: string) {
  const call = host.open(streamStart(name, "s-1"));
  const last = await call.last;
  if (last.response?.$case !== "streamEnd") throw new Error(`ended with ${last.response?.$case}`);
  const chunks = call.messages.slice(0, -1).map(({ response }) => {
    if (response?.$case !== "streamChunk") throw new Error(`a ${response?.$case} in the stream`);
    return response.value;
  });
  return { chunks, end: last.response.value, error: last.error && fromWireCode(last.error.code) };
}

describe("a stream", () => {
  it("sends pieces in order with their kind, then the end", async () => {
    const { chunks, end } = await run(rawHost(plugin().definition), "mixed");
    expect(chunks.map(({ sequence, contentType, streamId }) => [sequence, contentType, streamId])).toEqual([
      [0, "application/octet-stream", "s-1"],
      [1, "text/plain; charset=utf-8", "s-1"],
      [2, "application/json", "s-1"],
    ]);
    expect(text(chunks[1]!.data)).toBe("héllo");
    expect(text(chunks[2]!.data)).toBe('{"n":1}');
    expect(end).toMatchObject({ streamId: "s-1", success: true, totalChunks: 3 });
  });

  it("ends with what its handler threw", async () => {
    const { chunks, end, error } = await run(rawHost(plugin().definition), "breaks");
    expect(chunks).toHaveLength(1);
    expect(end).toMatchObject({ success: false, errorCode: "handler_error", errorMessage: "half way", totalChunks: 1 });
    expect(error).toBe(ErrorCode.Internal);
  });

  it("ends with an error where a piece is too large", async () => {
    const { end, error } = await run(rawHost(plugin().definition), "huge");
    expect(end).toMatchObject({ success: false, totalChunks: 1 });
    expect(error).toBe(ErrorCode.FrameTooLarge);
  });

  it("knows neither strangers nor plain tools", async () => {
    const host = rawHost(plugin().definition);
    expect((await run(host, "nope")).end).toMatchObject({
      success: false,
      errorCode: "tool_not_found",
      streamId: "s-1",
    });
    expect((await run(host, "unary")).end).toMatchObject({ success: false, errorCode: "tool_not_found" });
  });

  it("waits for a caller that does not read", async () => {
    const { definition, seen } = plugin();
    const host = rawHost(definition, { stall: true });
    const call = host.open(streamStart("forever"));
    await call.received(240);
    // Room for what fits the window and no more, however long it runs.
    for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(seen.produced).toBeLessThan(300);
    host.link.cancel(call.id);
    await seen.left.promise;
  });
});

describe("cancelling a stream", () => {
  const cancel = (streamId: string) => ({ $case: "streamCancel", value: { streamId } }) as const;

  it("works on the same call", async () => {
    const { definition, seen } = plugin();
    const host = rawHost(definition);
    const call = host.open(streamStart("forever", "s-1"), { last: false });
    await call.received(2);
    host.send(call, cancel("s-1"));
    expect((await call.last).response).toMatchObject({ value: { success: false, errorCode: "handler_error" } });
    await seen.left.promise;
    expect(await seen.aborted.promise).toMatchObject({ code: ErrorCode.Cancelled });
  });

  it("works on another call, by the stream's id", async () => {
    const { definition, seen } = plugin();
    const host = rawHost(definition);
    const [wanted, other] = [host.open(streamStart("forever", "s-1")), host.open(streamStart("forever", "s-2"))];
    await Promise.all([wanted.received(2), other.received(2)]);
    expect((await host.ask(cancel("s-1"))).response).toBeUndefined();
    const end = await wanted.last;
    expect(fromWireCode(end.error!.code)).toBe(ErrorCode.Cancelled);
    const before = other.messages.length;
    await other.received(before + 3);
    host.link.cancel(other.id);
    await seen.left.promise;
  });

  it("answers at once, also where the handler does not listen", async () => {
    const { definition, seen } = plugin();
    const host = rawHost(definition);
    const call = host.open(streamStart("stuck", "s-1"));
    await call.received(1);
    await host.ask(cancel("s-1"));
    expect((await call.last).response).toMatchObject({ value: { success: false, totalChunks: 1 } });
    await seen.aborted.promise;
    await host.runtime.server.idle();
  });

  it("works by ending the call in the carrier", async () => {
    const { definition, seen } = plugin();
    const host = rawHost(definition);
    const call = host.open(streamStart("forever"));
    await call.received(2);
    host.link.cancel(call.id);
    await seen.left.promise;
    await host.runtime.server.idle();
  });

  it("has nothing to say against an id that it does not know", async () => {
    expect((await rawHost(plugin().definition).ask(cancel("nobody"))).response).toBeUndefined();
  });
});
