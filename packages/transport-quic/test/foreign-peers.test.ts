import { ErrorCode, encodeFrame, MAX_FRAME_BYTES } from "@orchestrator/protocol";
import type { LinkListener } from "@orchestrator/transport";
import { bytes, echo, Recorder } from "@orchestrator/transport/conformance";
import { describe, expect, it } from "vitest";
import { listenQuic } from "../src/endpoint/listen.ts";
import type { QuicListenOptions } from "../src/options.ts";
import { testMaterial } from "./material.ts";
import { RawPeer } from "./raw-peer.ts";

const material = await testMaterial();

function listen(recorder: Recorder, options: Partial<QuicListenOptions> = {}): Promise<LinkListener> {
  return listenQuic("localhost:0", { tls: material.server, ...options }, recorder.accept);
}

describe("peers of other make", () => {
  it("serves a client whose own connection id is empty", async () => {
    const recorder = new Recorder(echo);
    await using listener = await listen(recorder);
    await using peer = await RawPeer.connect(listener.address, material, { emptyId: true });
    peer.write(0, encodeFrame(bytes(1, 2)), true);
    await peer.when(() => peer.finished.has(0));
    expect([...peer.received.get(0)!]).toEqual([0, 0, 0, 2, 1, 2]);
  });

  it("answers a request as soon as its frame is there, without waiting for the end of the stream", async () => {
    const recorder = new Recorder((told, link) => {
      if (told.what === "request") link.send(told.call, bytes(9), true);
    });
    await using listener = await listen(recorder);
    await using peer = await RawPeer.connect(listener.address, material);
    peer.write(0, encodeFrame(bytes(1)), false);
    await peer.when(() => peer.finished.has(0));
    expect(recorder.all("request")[0]!.last).toBe(false);
  });

  it("reports an end that comes after the last message as an empty last message", async () => {
    const recorder = new Recorder();
    await using listener = await listen(recorder);
    await using peer = await RawPeer.connect(listener.address, material);
    peer.write(0, encodeFrame(bytes(1)), false);
    await recorder.until("request");
    peer.write(0, new Uint8Array(0), true);
    const message = await recorder.until("message");
    expect([message.payload.length, message.last]).toEqual([0, true]);
  });

  it("puts together frames that arrive in pieces, and takes several frames in one piece", async () => {
    const recorder = new Recorder();
    await using listener = await listen(recorder);
    await using peer = await RawPeer.connect(listener.address, material);
    const frames = Buffer.concat([encodeFrame(bytes(1, 2, 3)), encodeFrame(bytes()), encodeFrame(bytes(4))]);
    for (let index = 0; index < 9; index++) {
      const seen = peer.engine.capacity(0);
      peer.write(0, frames.subarray(index, index + 1), false);
      // Until it is acknowledged, so that each byte is read alone.
      await peer.when(() => peer.engine.capacity(0) !== seen);
    }
    peer.write(0, frames.subarray(9), true);
    await recorder.when(() => recorder.told.length === 3);
    const told = recorder.told as { payload: Uint8Array; last: boolean }[];
    expect(told.map(({ payload, last }) => [[...payload], last])).toEqual([
      [[1, 2, 3], false],
      [[], false],
      [[4], true],
    ]);
  });

  it("resets a stream that announces a frame over the limit, and keeps the connection", async () => {
    const recorder = new Recorder(echo);
    await using listener = await listen(recorder);
    await using peer = await RawPeer.connect(listener.address, material);
    const header = Buffer.alloc(4);
    header.writeUInt32BE(MAX_FRAME_BYTES + 1);
    peer.write(0, header, false);
    await peer.when(() => peer.resets.has(0));
    peer.write(4, encodeFrame(bytes(1)), true);
    await peer.when(() => peer.finished.has(4));
    expect(recorder.told.map((told) => told.what)).toEqual(["request"]);
  });

  it("cancels a call whose bytes end inside a frame, and one without any", async () => {
    const recorder = new Recorder();
    await using listener = await listen(recorder);
    await using peer = await RawPeer.connect(listener.address, material);
    peer.write(0, Buffer.concat([encodeFrame(bytes(1)), bytes(0, 0)]), true);
    peer.write(4, bytes(0, 0, 0, 9, 1), true);
    await peer.when(() => peer.resets.has(0) && peer.resets.has(4));
    expect(recorder.told.map((told) => told.what)).toEqual(["request", "cancelled"]);
    expect(recorder.all("cancelled")[0]!.error.code).toBe(ErrorCode.Protocol);
  });

  it("sees a cancellation in STOP_SENDING alone, also after the request has ended", async () => {
    const recorder = new Recorder();
    await using listener = await listen(recorder);
    await using peer = await RawPeer.connect(listener.address, material);
    peer.write(0, encodeFrame(bytes(1)), true);
    await recorder.until("request");
    peer.engine.stop(0, 77);
    peer.flush();
    expect((await recorder.until("cancelled")).error.code).toBe(ErrorCode.Cancelled);
  });

  it("takes a reset of the request for a cancellation", async () => {
    const recorder = new Recorder();
    await using listener = await listen(recorder);
    await using peer = await RawPeer.connect(listener.address, material);
    peer.write(0, encodeFrame(bytes(1)), false);
    await recorder.until("request");
    peer.engine.reset(0, 0);
    peer.flush();
    expect((await recorder.until("cancelled")).error.code).toBe(ErrorCode.Cancelled);
  });

  it.each([
    ["never end their direction", false],
    ["end it after the answer", true],
  ])("does not run out of streams with clients that %s", async (_what, finishLater) => {
    const recorder = new Recorder(echo);
    await using listener = await listen(recorder, { maxConcurrentCalls: 20, lingerMs: 60_000 });
    await using peer = await RawPeer.connect(listener.address, material);
    for (let call = 0; call < 200; call++) {
      const stream = call * 4;
      await peer.when(() => peer.engine.streamsLeft() > 0);
      peer.write(stream, encodeFrame(bytes(call)), false);
      await peer.when(() => peer.finished.has(stream));
      if (finishLater) peer.write(stream, new Uint8Array(0), true);
    }
    expect(recorder.all("request")).toHaveLength(200);
  });

  it("closes for a client what it keeps open too long", async () => {
    const recorder = new Recorder(echo);
    await using listener = await listen(recorder, { maxConcurrentCalls: 20, lingerMs: 1 });
    await using peer = await RawPeer.connect(listener.address, material);
    peer.write(0, encodeFrame(bytes(1)), false);
    await peer.when(() => peer.engine.capacity(0) < 0);
    expect(peer.finished.has(0)).toBe(true);
  });

  it("does not let a client go over the limit of calls", async () => {
    const recorder = new Recorder();
    await using listener = await listen(recorder, { maxConcurrentCalls: 7 });
    await using peer = await RawPeer.connect(listener.address, material);
    expect(peer.engine.streamsLeft()).toBe(7);
  });
});
