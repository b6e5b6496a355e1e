import { readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { ErrorCode, PluginRequest, PluginResponse } from "@orchestrator/protocol";
import { afterAll, describe, expect, it } from "vitest";
import { Backlog } from "../src/backlog.ts";
import { FrameParser } from "../src/frame-parser.ts";
import { FrameWriter } from "../src/frame-writer.ts";
import { type FrameKind, SocketLink } from "../src/index.ts";
import { Echo } from "./support/echo.ts";
import { frame, RawPeer } from "./support/raw-peer.ts";
import { scratch, socketPair } from "./support/sockets.ts";

interface Step {
  readonly from: "connecting" | "accepting";
  readonly kind: number;
  readonly call: number;
  readonly payload?: string;
  readonly fill?: { readonly byte: string; readonly count: number };
}
interface Golden {
  readonly frames: { name: string; kind: FrameKind; call: number; payload: string; hex: string }[];
  readonly conversations: { name: string; steps: Step[] }[];
  readonly invalid: { name: string; hex: string }[];
}
const golden = JSON.parse(readFileSync(new URL("../golden/frames.json", import.meta.url), "utf8")) as Golden;
const directory = scratch();
afterAll(() => directory.remove());
let count = 0;
const common = { carrier: "fd", peer: "p", remoteAddress: "" } as const;

function bytesOf({ payload, fill }: Step): Buffer {
  return fill === undefined ? Buffer.from(payload!, "hex") : Buffer.alloc(fill.count, fill.byte, "hex");
}

/** What one side of a conversation writes. */
function written({ steps }: { steps: Step[] }, from: Step["from"]): Buffer {
  return Buffer.concat(steps.filter((step) => step.from === from).map((s) => frame(s.kind, s.call, bytesOf(s))));
}

describe("golden frames", () => {
  it("covers every kind", () => {
    expect(new Set(golden.frames.map(({ kind }) => kind)).size).toBe(12);
  });

  it.each(golden.frames)("$name, both ways", async ({ kind, call, payload, hex }) => {
    const seen: unknown[] = [];
    new FrameParser((...heard) => seen.push(heard)).push(Buffer.from(hex, "hex"));
    expect(seen.length).toBe(1);
    const [heardKind, heardCall, heardPayload] = seen[0] as [number, number, Uint8Array];
    expect([heardKind, heardCall, Buffer.from(heardPayload).toString("hex")]).toEqual([kind, call, payload]);

    const stream = new PassThrough();
    const writer = new FrameWriter(stream, { backlog: new Backlog(1e9), onBulkSent() {}, onHopeless() {} });
    writer.frame(kind, call, Buffer.from(payload, "hex"));
    writer.flush();
    expect((stream.read() as Buffer).toString("hex")).toBe(hex);
  });

  it("hold envelopes that the codecs read", () => {
    const payload = (name: string) => Buffer.from(golden.frames.find((one) => one.name === name)!.payload, "hex");
    expect(PluginRequest.decode(payload("request-last"))).toMatchObject({
      requestId: "r1",
      request: { $case: "health" },
    });
    expect(PluginResponse.decode(payload("message-last"))).toMatchObject({ requestId: "r1" });
  });
});

describe("golden conversations", () => {
  it.each(golden.conversations)("$name: the accepting side", async (conversation) => {
    const [mine, theirs] = await socketPair(directory.path(`g${count++}`));
    const echo = new Echo();
    new SocketLink(theirs, { ...common, isConnector: false }, (link) => {
      const handler = echo.accept(link);
      const answer = conversation.steps.find(({ from, kind }) => from === "accepting" && kind === 4);
      const text = answer?.payload === undefined ? undefined : bytesOf(answer);
      return { ...handler, request: (call, payload) => void link.send(call, text ?? payload, true) };
    });
    const raw = new RawPeer(mine);
    act(conversation.steps, "accepting", echo);
    const expected = written(conversation, "accepting");
    raw.write(written(conversation, "connecting"));
    await raw.when((seen) => replay(seen).length >= expected.length);
    expect(replay(raw).equals(expected)).toBe(true);
    echo.link.close(0);
    await raw.when((seen) => seen.ended);
  });

  it.each(golden.conversations)("$name: the connecting side", async (conversation) => {
    const [mine, theirs] = await socketPair(directory.path(`g${count++}`));
    const echo = new Echo(true);
    new SocketLink(theirs, { ...common, isConnector: true }, echo.accept);
    const raw = new RawPeer(mine);
    act(conversation.steps, "connecting", echo);
    const expected = written(conversation, "connecting");
    await raw.when((seen) => replay(seen).length >= expected.length);
    expect(replay(raw).equals(expected)).toBe(true);
    raw.write(written(conversation, "accepting"), frame(8, 0));
    await raw.when((seen) => seen.of(9).length === 1);
    const { steps } = conversation;
    const asked = steps.some(({ from, kind }) => from === "connecting" && (kind === 2 || kind === 11));
    const length = steps
      .filter(({ from }) => from === "accepting")
      .reduce((sum, step) => sum + bytesOf(step).length, 0);
    // All but the hello is the answer.
    if (asked) expect(echo.answers.map(({ payload }) => payload.length)).toEqual([length - 5]);
    else expect([echo.requests, echo.cancelled.length]).toEqual([1, 1]);
    echo.link.close(0);
  });

  it.each(golden.invalid)("$name ends the link", async ({ hex }) => {
    const [mine, theirs] = await socketPair(directory.path(`g${count++}`));
    const echo = new Echo(true);
    new SocketLink(theirs, { ...common, isConnector: false }, echo.accept);
    new RawPeer(mine).write(Buffer.from(hex, "hex"));
    expect(await echo.closed).toMatchObject({ code: ErrorCode.Protocol });
  });
});

describe("the description of the wire", () => {
  const page = readFileSync(new URL("../../../docs/wire.md", import.meta.url), "utf8");
  const lines = [...page.matchAll(/^```frames\n(.*?)^```/gms)].flatMap(([, block]) => block!.trim().split("\n"));

  it.each(lines)("shows a frame that is one: %s", (line) => {
    const hex = line.replace(/#.*/, "").replaceAll(" ", "");
    const seen: { kind: number; payload: Uint8Array }[] = [];
    const parser = new FrameParser((kind, _call, payload) => seen.push({ kind, payload }));
    parser.push(Buffer.from(hex, "hex"));
    expect([seen.length, parser.idle]).toEqual([1, true]);
    const { kind, payload } = seen[0]!;
    if (line.includes("#")) expect(golden.frames.map((one) => one.hex)).toContain(hex);
    else if (kind === 2) {
      expect(PluginRequest.decode(payload)).toMatchObject({
        request: { $case: "toolCall", value: { toolName: "py_hello", arguments: { name: "Ada" } } },
        context: { timeoutMs: 30_000, caller: "operator" },
      });
    } else expect(PluginResponse.decode(payload)).toMatchObject({ requestId: "r1", response: { $case: "toolCall" } });
  });

  it("shows all of them", () => expect(lines.length).toBe(13));
});

/** Does through a link what one side of a conversation does of its own accord. */
function act(steps: readonly Step[], side: Step["from"], echo: Echo): void {
  const own = steps.filter(({ from }) => from === side);
  const opening = own.find(({ kind }) => kind === 2 || kind === 11);
  if (opening === undefined) return;
  const payload = opening.kind === 2 ? bytesOf(opening) : Buffer.concat(own.filter((s) => s.kind !== 0).map(bytesOf));
  const call = echo.link.open(payload, true);
  if (own.some(({ kind }) => kind === 6)) echo.link.cancel(call);
}

function replay(peer: RawPeer): Buffer {
  return Buffer.concat(peer.frames.map(({ kind, call, payload }) => frame(kind, call, payload)));
}
