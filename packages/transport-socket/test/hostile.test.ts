import { ErrorCode } from "@orchestrator/protocol";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { SocketLink, type SocketLinkOptions } from "../src/index.ts";
import { Echo } from "./support/echo.ts";
import { frame, hello, RawPeer } from "./support/raw-peer.ts";
import { scratch, socketPair } from "./support/sockets.ts";

const directory = scratch();
afterAll(() => directory.remove());
let count = 0;

/** A link that accepted a connection of a peer which may do anything. */
async function attacked(echo = new Echo(), options: Partial<SocketLinkOptions> = {}) {
  const [mine, theirs] = await socketPair(directory.path(`h${count++}`));
  new SocketLink(
    theirs,
    { carrier: "fd", peer: "mallory", remoteAddress: "", isConnector: false, ...options },
    echo.accept,
  );
  return { echo, peer: new RawPeer(mine) };
}

const KiB = 1024;
const piece = Buffer.alloc(64 * KiB);
const credit = (call: number, bytes: number) => {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame(7, call, payload);
};

/** name → what the peer writes, after its hello unless it is about that. Odd calls are its own. */
const violations: Record<string, Buffer[]> = {
  "a call id of the other side": [hello, frame(2, 2, "x")],
  "call id 0 for a request": [hello, frame(2, 0, "x")],
  "call id 0 for a cancel": [hello, frame(6, 0, "\u0000")],
  "a ping with a call id": [hello, frame(8, 1)],
  "a goaway with a call id": [hello, frame(10, 1)],
  "an unknown kind": [hello, frame(12, 1)],
  "a length without room for the header": [hello, Buffer.from("00000004", "hex"), Buffer.alloc(5)],
  "a frame of more than 64 KiB": [hello, Buffer.from("0001000600000001", "hex"), Buffer.from([2])],
  "no hello": [frame(2, 1, "x")],
  "a hello of nothing": [frame(0, 0)],
  "a hello with other letters": [frame(0, 0, "ORCX\u0001")],
  "a hello of another version": [frame(0, 0, "ORCH\u0002")],
  "a hello with a call id": [frame(0, 1, "ORCH\u0001")],
  "a second hello": [hello, hello],
  "a call that is opened twice": [hello, frame(11, 1), frame(11, 1)],
  "a request for a call that is being opened": [hello, frame(11, 1), frame(2, 1, "x")],
  "a long request with a payload": [hello, frame(11, 1, "x")],
  "a tiny piece": [hello, frame(11, 1), frame(5, 1, "x")],
  "a message of more than 16 MiB": [hello, frame(11, 1), ...new Array(257).fill(frame(5, 1, piece))],
  "a last piece beyond 16 MiB": [hello, frame(11, 1), ...new Array(256).fill(frame(5, 1, piece)), frame(4, 1, "x")],
  "17 long messages at once": [
    hello,
    ...new Array(17).fill(0).flatMap((_, index) => [frame(11, 2 * index + 1), frame(5, 2 * index + 1, piece)]),
  ],
  "a message beyond its window": [hello, frame(11, 1), ...new Array(5).fill(frame(3, 1, piece))],
  "a message after the last one": [hello, frame(2, 1, "x"), frame(4, 1, "y")],
  "a credit of 3 bytes": [hello, frame(7, 1, "abc")],
  "a credit of nothing": [hello, credit(1, 0)],
  "more credit than was used": [hello, frame(11, 1), credit(1, 1)],
  "a credit of minus one": [hello, frame(11, 1), credit(1, 0xffffffff)],
  "an empty cancel": [hello, frame(6, 1)],
  "a long cancel": [hello, frame(6, 1, "\u0000\u0000")],
  "a ping of 9 bytes": [hello, frame(8, 0, "123456789")],
  "a pong of 9 bytes": [hello, frame(9, 0, "123456789")],
  "a request after its goaway": [hello, frame(10, 0), frame(2, 1, "x")],
};

describe("a peer that breaks the rules", () => {
  it.each(Object.entries(violations))("loses the link: %s", async (_name, bytes) => {
    const bystander = await attacked();
    const { echo, peer } = await attacked(new Echo(true));
    peer.write(...bytes);
    expect(await echo.closed).toMatchObject({ code: ErrorCode.Protocol });
    expect(echo.link.isOpen).toBe(false);
    await peer.when((seen) => seen.ended);
    bystander.peer.write(hello, frame(2, 1, "still here"));
    await bystander.peer.when((seen) => seen.of(4).length === 1);
    expect(bystander.peer.of(4)[0]!.payload.toString()).toBe("still here");
    bystander.peer.socket.destroy();
  });

  it("may send what is late: frames of calls that are over are let go", async () => {
    const { echo, peer } = await attacked();
    const late = [frame(3, 1, "x"), frame(4, 1), frame(5, 1, piece), frame(6, 1, "\u0000"), credit(1, 5)];
    peer.write(hello, frame(2, 1, "once"), ...late, frame(8, 0, "12345678"));
    await peer.when((seen) => seen.of(9).length === 1);
    expect(peer.of(9)[0]!.payload.toString()).toBe("12345678");
    expect([echo.requests, peer.of(4).length]).toEqual([1, 1]);
    peer.socket.destroy();
  });

  it("gets one message through that takes its window below zero, and none after that", async () => {
    const { echo, peer } = await attacked(new Echo(true));
    const long = new Array(5).fill(frame(5, 1, piece));
    peer.write(hello, frame(11, 1), ...long, frame(3, 1, "end"), frame(8, 0));
    await peer.when((seen) => seen.of(9).length === 1);
    expect(echo.heard).toEqual([5 * 64 * KiB + 3]);
    peer.write(frame(3, 1, "x"));
    expect(await echo.closed).toMatchObject({ code: ErrorCode.Protocol });
  });

  it("cannot break it with any sequence of frames", async () => {
    const call = fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constantFrom(0xffffffff, 0x80000000));
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 10 }),
      fc.constant(new Uint8Array(2_000)),
      fc.constant(new Uint8Array(65_536)),
    );
    const likely = fc.tuple(fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 11, 11, 5, 3), fc.constantFrom(1, 3, 5), payload);
    const wild = fc.tuple(fc.integer({ min: 0, max: 12 }), call, payload);
    const sequence = fc.array(fc.oneof(likely, likely, likely, wild), { maxLength: 30 });
    const property = fc.asyncProperty(sequence, async (frames) => {
      const { echo, peer } = await attacked();
      peer.write(hello, ...frames.map(([kind, id, bytes]) => frame(kind, id, bytes)), frame(8, 0, "alive"));
      await peer.when((seen) => seen.ended || seen.of(9).some(({ payload: text }) => text.toString() === "alive"));
      if (peer.ended) expect(await echo.closed).toMatchObject({ code: ErrorCode.Protocol });
      else peer.socket.destroy();
      await echo.link.closed;
    });
    await fc.assert(property, { numRuns: process.env["ORCHESTRATOR_SOAK"] === "full" ? 5_000 : 200 });
  });
});
