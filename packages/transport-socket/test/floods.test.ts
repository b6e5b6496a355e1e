import { ErrorCode, HubError } from "@orchestrator/protocol";
import { afterAll, describe, expect, it } from "vitest";
import { SocketLink, type SocketLinkOptions } from "../src/index.ts";
import { Echo } from "./support/echo.ts";
import { frame, hello, RawPeer } from "./support/raw-peer.ts";
import { scratch, socketPair } from "./support/sockets.ts";

const directory = scratch();
afterAll(() => directory.remove());
let count = 0;
const MiB = 1024 * 1024;

async function flooded(echo: Echo, options: Partial<SocketLinkOptions> = {}, reads = true) {
  const [mine, theirs] = await socketPair(directory.path(`f${count++}`));
  new SocketLink(
    theirs,
    { carrier: "fd", peer: "mallory", remoteAddress: "", isConnector: false, ...options },
    echo.accept,
  );
  return { peer: new RawPeer(mine, reads), socket: theirs };
}

describe("floods", () => {
  it("refuses calls beyond the limit one by one, and takes more when some are over", async () => {
    const echo = new Echo(true);
    const { peer } = await flooded(echo, { maxConcurrentCalls: 10 });
    peer.write(hello, ...Array.from({ length: 1_000 }, (_, index) => frame(2, 2 * index + 1, "x")));
    await peer.when((seen) => seen.of(6).length === 990);
    expect(echo.requests).toBe(10);
    expect(new Set(peer.of(6).map(({ payload }) => payload.toString("hex")))).toEqual(new Set(["02"]));
    peer.write(frame(6, 1, "\u0000"), frame(2, 5_001, "x"), frame(8, 0));
    await peer.when((seen) => seen.of(9).length === 1);
    expect([echo.requests, peer.of(6).length]).toEqual([11, 990]);
    peer.socket.destroy();
  });

  it("tells the caller of a call beyond the limit that nothing ran", async () => {
    const [a, b] = await socketPair(directory.path(`f${count++}`));
    const [caller, callee] = [new Echo(), new Echo(true)];
    const common = { carrier: "fd", peer: "p", remoteAddress: "" } as const;
    new SocketLink(a, { ...common, isConnector: true }, caller.accept);
    new SocketLink(b, { ...common, isConnector: false, maxConcurrentCalls: 1 }, callee.accept);
    void caller.call(Buffer.from("stays"));
    expect(await caller.call(Buffer.from("one too many"))).toMatchObject({ code: ErrorCode.ResourceExhausted });
    expect(await caller.call(Buffer.alloc(3 * MiB))).toMatchObject({ code: ErrorCode.ResourceExhausted });
    expect(callee.requests).toBe(1);
    caller.link.abort(new HubError(ErrorCode.Unavailable, "The test is over"));
  });

  it("lets cancels and credits of calls that never were pass by", async () => {
    const echo = new Echo();
    const { peer } = await flooded(echo);
    const noise = Array.from({ length: 50_000 }, (_, index) => frame(6, index + 1, "\u0000"));
    peer.write(hello, ...noise, frame(2, 1, "after"));
    await peer.when((seen) => seen.of(4).length === 1);
    expect(peer.of(4)[0]!.payload.toString()).toBe("after");
    peer.socket.destroy();
  });

  it.each([
    ["pings", 200_000, frame(8, 0, "12345678")],
    ["refused calls", 200_000, frame(2, 1, "x")],
  ])("gives up a peer that sends %s and reads nothing", async (name, many, bytes) => {
    const echo = new Echo();
    const options = { maxWaitingBytes: MiB, maxConcurrentCalls: name === "pings" ? 1 : 0 };
    const { peer, socket } = await flooded(echo, options, false);
    peer.write(hello, Buffer.concat(new Array(many).fill(bytes)));
    const error = await echo.closed;
    expect(error).toMatchObject({ code: ErrorCode.ResourceExhausted });
    expect(socket.destroyed).toBe(true);
    peer.socket.destroy();
  });

  it("gives up a peer that asks for long answers and reads none of them", async () => {
    const echo = new Echo();
    const { peer, socket } = await flooded(echo, { maxWaitingBytes: 8 * MiB }, false);
    // It asks, over and over, for what it sent: 1 MiB each.
    const piece = Buffer.alloc(64 * 1024);
    let id = 1;
    const ask = () => {
      if (peer.socket.destroyed) return;
      const parts = new Array(15).fill(frame(5, id, piece));
      peer.socket.write(Buffer.concat([frame(11, id), ...parts, frame(4, id, piece)]), ask);
      id += 2;
    };
    peer.write(hello);
    ask();
    expect(await echo.closed).toMatchObject({ code: ErrorCode.ResourceExhausted });
    expect(echo.requests).toBeLessThan(20);
    expect(socket.destroyed).toBe(true);
    peer.socket.destroy();
  });

  it("bears with a peer that reads slowly, though much waits for it", async () => {
    const echo = new Echo();
    const { peer } = await flooded(echo, { maxWaitingBytes: 2 * MiB });
    const piece = Buffer.alloc(64 * 1024);
    // 6 answers of 1 MiB at once are three times the limit; the peer takes them as they come.
    for (let id = 1; id < 12; id += 2) {
      if (id === 1) peer.write(hello);
      peer.write(frame(11, id), ...new Array(15).fill(frame(5, id, piece)), frame(4, id, piece));
    }
    await peer.when((seen) => seen.of(4).length === 6);
    expect(peer.ended).toBe(false);
    peer.socket.destroy();
  });
});
