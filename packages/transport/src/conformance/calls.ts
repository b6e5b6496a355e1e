import { ErrorCode, type HubError, MAX_FRAME_BYTES } from "@orchestrator/protocol";
import { expect, it } from "vitest";
import { LinkPeer } from "../peer/link-peer.ts";
import type { CarrierSetup } from "./carrier-pair.ts";
import { bytes, echo, firstDifference, pattern, Recorder } from "./recorder.ts";

/** Single calls: who may open them, what arrives, in what order, and how large. */
export function testCalls(setup: CarrierSetup): void {
  it("knows the peer by its verified name, on both sides", async () => {
    await using pair = await setup.connect(new Recorder().accept, new Recorder().accept);
    expect(pair.connecting.peer).toBe(setup.names.accepting);
    expect(pair.accepting.peer).toBe(setup.names.connecting);
    expect(pair.connecting.carrier).toBe(pair.accepting.carrier);
    expect(pair.connecting.isOpen && pair.accepting.isOpen).toBe(true);
  });

  it("carries requests both ways", async () => {
    const [a, b] = [new LinkPeer((call) => void call.reply(bytes(1, ...call.payload))), echoPeer()];
    await using _pair = await setup.connect(a.accept, b.accept);
    expect([...(await a.call(bytes(7)))]).toEqual([7]);
    expect([...(await b.call(bytes(8)))]).toEqual([1, 8]);
  });

  it("keeps many concurrent calls in both directions apart", async () => {
    const [a, b] = [echoPeer(), echoPeer()];
    await using _pair = await setup.connect(a.accept, b.accept);
    const calls = Array.from({ length: 400 }, async (_, seed) => {
      const payload = pattern(20 + seed * 11, seed);
      const answer = await (seed % 2 === 0 ? a : b).call(payload);
      return firstDifference(payload, answer);
    });
    expect(new Set(await Promise.all(calls))).toEqual(new Set([-1]));
    expect([a.openCalls, b.openCalls]).toEqual([0, 0]);
  });

  it("delivers the messages of a call in order, in both directions, and tells the handler one thing at a time", async () => {
    let inside = 0;
    let nested = 0;
    const b = new Recorder((told, link) => {
      if (inside++ > 0) nested++;
      if (told.what === "request" || told.what === "message") {
        link.send(told.call, told.payload, told.last);
        if (!told.last) link.credit(told.call, told.payload.length);
      }
      inside--;
    });
    const a = new Recorder((told, link) => {
      if (told.what === "message" && !told.last) link.credit(told.call, told.payload.length);
    });
    await using _pair = await setup.connect(a.accept, b.accept);
    const call = a.link.open(bytes(0), false);
    for (let value = 1; value < 200; value++) a.link.send(call, bytes(value), value === 199);
    await a.when(() => a.all("message").some((told) => told.last));
    expect(a.all("message").map((told) => told.payload[0])).toEqual(Array.from({ length: 200 }, (_, index) => index));
    expect(b.all("request")).toHaveLength(1);
    expect(nested).toBe(0);
  });

  it("carries empty messages", async () => {
    const a = new Recorder();
    const b = new Recorder(echo);
    await using _pair = await setup.connect(a.accept, b.accept);
    a.link.open(new Uint8Array(0), true);
    const answer = await a.until("message");
    expect([b.all("request")[0]!.payload.length, answer.payload.length, answer.last]).toEqual([0, 0, true]);
  });

  it("carries a message of the largest size, and refuses a larger one here without harm", async () => {
    const [a, b] = [new LinkPeer(), echoPeer()];
    await using _pair = await setup.connect(a.accept, b.accept);
    const largest = pattern(MAX_FRAME_BYTES, 3);
    expect(firstDifference(await a.call(largest), largest)).toBe(-1);
    const tooLarge = new Uint8Array(MAX_FRAME_BYTES + 1);
    await expect(a.call(tooLarge)).rejects.toMatchObject({ code: ErrorCode.FrameTooLarge });
    expect([...(await a.call(bytes(1)))]).toEqual([1]);
  });

  it("refuses a message that is too large on an open call, which goes on", async () => {
    const refused: unknown[] = [];
    const b = new Recorder((told, link) => {
      if (told.what !== "request") return;
      try {
        link.send(told.call, new Uint8Array(MAX_FRAME_BYTES + 1), true);
      } catch (error) {
        refused.push(error);
      }
      link.send(told.call, bytes(2), true);
    });
    const a = new LinkPeer();
    await using _pair = await setup.connect(a.accept, b.accept);
    expect([...(await a.call(bytes(1)))]).toEqual([2]);
    expect((refused[0] as HubError).code).toBe(ErrorCode.FrameTooLarge);
  });

  it("does not lose or mix calls that are opened while answers come in", async () => {
    const [a, b] = [new LinkPeer(), echoPeer()];
    await using _pair = await setup.connect(a.accept, b.accept);
    const wrong: number[] = [];
    const chain = async (seed: number) => {
      for (let step = 0; step < 40; step++) {
        const payload = pattern(1 + ((seed * 131 + step * 977) % 6_000), seed + step);
        const difference = firstDifference(await a.call(payload), payload);
        if (difference !== -1) wrong.push(seed);
      }
    };
    await Promise.all(Array.from({ length: 32 }, (_, seed) => chain(seed)));
    expect(wrong).toEqual([]);
  });
}

function echoPeer(): LinkPeer {
  return new LinkPeer((call) => void call.reply(call.payload));
}
