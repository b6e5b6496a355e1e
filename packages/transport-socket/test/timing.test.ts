import { once } from "node:events";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SocketLink, type SocketLinkOptions } from "../src/index.ts";
import { Echo } from "./support/echo.ts";
import { frame, hello, RawPeer } from "./support/raw-peer.ts";
import { slowPair } from "./support/slow-pair.ts";
import { scratch, socketPair } from "./support/sockets.ts";

const directory = scratch();
afterAll(() => directory.remove());
let count = 0;
const MiB = 1024 * 1024;
const common = { carrier: "fd", peer: "p", remoteAddress: "" } as const;
const over = new HubError(ErrorCode.Unavailable, "The test is over");

async function linked(options: Partial<SocketLinkOptions> = {}) {
  const [mine, theirs] = await socketPair(directory.path(`t${count++}`));
  const echo = new Echo();
  new SocketLink(theirs, { ...common, isConnector: false, ...options }, echo.accept);
  return { echo, peer: new RawPeer(mine), socket: theirs };
}

/** The same, when the peer has said hello. */
async function greeted(options: Partial<SocketLinkOptions>) {
  const hail = Promise.withResolvers<void>();
  const link = await linked({ ...options, onHello: hail.resolve });
  link.peer.write(hello);
  await hail.promise;
  return link;
}

describe("time", () => {
  it("keeps calls apart and whole when bytes come in odd pieces, late", async () => {
    const length = fc.oneof(fc.integer({ max: 100, min: 0 }), fc.constantFrom(65_535, 65_536, 65_537, 200_000));
    const sizes = fc.array(length, { minLength: 1, maxLength: 20 });
    const property = fc.asyncProperty(sizes, fc.integer(), async (lengths, seed) => {
      const [a, b] = slowPair(seed);
      const [left, right] = [new Echo(), new Echo()];
      new SocketLink(a, { ...common, isConnector: true }, left.accept);
      new SocketLink(b, { ...common, isConnector: false }, right.accept);
      await Promise.all(
        lengths.flatMap((bytes, index) =>
          [left, right].map(async (side) => {
            const payload = Buffer.alloc(bytes, index + 1);
            expect(Buffer.compare((await side.call(payload)) as Uint8Array, payload)).toBe(0);
          }),
        ),
      );
      await Promise.all([left.link.close(), right.link.close()]);
      expect([await left.closed, await right.closed]).toEqual([undefined, undefined]);
    });
    await fc.assert(property, { numRuns: 25 });
  });

  describe("that passes in silence", () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "setInterval", "clearInterval"] }));
    afterEach(() => void vi.useRealTimers());

    it("makes it give up a peer that answers no ping, and keep one that does nothing else", async () => {
      const silent = await greeted({ keepAliveMs: 10 });
      vi.advanceTimersByTime(30);
      expect(await silent.echo.closed).toMatchObject({ code: ErrorCode.Unavailable });
      await silent.peer.when((seen) => seen.ended);
      expect(silent.peer.of(8).length).toBe(1);

      const polite = await greeted({ keepAliveMs: 10 });
      for (let pings = 1; pings <= 5; pings++) {
        vi.advanceTimersByTime(20);
        await polite.peer.when((seen) => seen.ended || seen.of(8).length === pings);
        const heard = once(polite.socket, "data");
        polite.peer.write(frame(9, 0));
        await heard;
      }
      expect(polite.echo.link.isOpen).toBe(true);
      polite.echo.link.abort(over);
    });

    it("makes it give up a peer that never says hello", async () => {
      const { echo } = await linked({ keepAliveMs: 10 });
      vi.advanceTimersByTime(30);
      expect(await echo.closed).toMatchObject({ code: ErrorCode.Unavailable });
    });
  });

  it("cuts off a peer that ended its side, and does not take what waits for it", async () => {
    const [mine, theirs] = await socketPair(directory.path(`t${count++}`));
    const echo = new Echo(true);
    const link = new SocketLink(theirs, { ...common, isConnector: false, farewellMs: 10 }, echo.accept);
    mine.write(hello);
    for (let calls = 0; calls < 20; calls++) link.open(Buffer.alloc(64 * 1024), true);
    mine.end();
    expect(await echo.closed).toMatchObject({ code: ErrorCode.Unavailable });
    await new Promise((resolve) => theirs.once("close", resolve));
    mine.destroy();
  });
});

describe("short calls beside long ones", () => {
  it("puts a short request before all but the first pieces of a long one, and takes long ones in turn", async () => {
    const { echo, peer } = await linked();
    peer.write(hello);
    const long = [echo.link.open(Buffer.alloc(16 * MiB), true), echo.link.open(Buffer.alloc(16 * MiB), true)];
    const short = echo.link.open(Buffer.from("short"), true);
    await peer.when((seen) => seen.of(4).length === 2);
    const at = peer.frames.findIndex(({ call }) => call === short);
    // What the system took at once, which differs, and 128 KiB that the socket holds; not the other 500 pieces.
    expect(peer.frames.slice(0, at).filter(({ kind }) => kind === 5).length).toBeLessThanOrEqual(16);
    const turns = peer.of(5).map(({ call }) => call);
    expect(turns.length).toBe(2 * 255);
    // The first one is alone until the second is opened, and the second at its end.
    expect(turns.filter((call, index) => call === turns[index + 1]).length).toBeLessThanOrEqual(32);
    expect(new Set(turns)).toEqual(new Set(long));
    echo.link.abort(over);
  });

  it("answers short calls while 16 MiB go back and forth", async () => {
    const [a, b] = await socketPair(directory.path(`t${count++}`));
    const [left, right] = [new Echo(), new Echo()];
    new SocketLink(a, { ...common, isConnector: true }, left.accept);
    new SocketLink(b, { ...common, isConnector: false }, right.accept);
    let bulkDone = 0;
    const bulk = Promise.all(
      Array.from({ length: 4 }, async () => {
        await left.call(Buffer.alloc(16 * MiB));
        bulkDone += 1;
      }),
    );
    let answered = 0;
    while (bulkDone === 0) {
      await left.call(Buffer.from("short"));
      answered += 1;
    }
    // 128 MiB pass in 64 KiB pieces, and a short call waits for a few of them each way.
    expect(answered).toBeGreaterThan(50);
    await bulk;
    left.link.abort(over);
  });

  it("begins no more long messages at once than the peer allows, and finishes all", async () => {
    const { echo, peer } = await linked();
    peer.write(hello);
    for (let calls = 0; calls < 40; calls++) echo.link.open(Buffer.alloc(300_000), true);
    await peer.when((seen) => seen.of(4).length === 40);
    const begun = new Set<number>();
    let most = 0;
    for (const { kind, call } of peer.frames) {
      if (kind === 5) begun.add(call);
      if (kind === 4) begun.delete(call);
      most = Math.max(most, begun.size);
    }
    expect(most).toBe(16);
    echo.link.abort(over);
  });

  it("stops sending a long request whose answer is here", async () => {
    const { echo, peer } = await linked();
    const id = echo.link.open(Buffer.alloc(16 * MiB), true);
    peer.write(hello, frame(4, id, "no need"));
    await peer.when((seen) => seen.of(5).length > 0);
    await echo.link.close();
    await peer.when((seen) => seen.ended);
    expect(echo.answers.length).toBe(1);
    expect([peer.of(4).length, peer.of(5).length < 255]).toEqual([0, true]);
  });

  it("opens what was asked for before its goaway says that no more comes", async () => {
    const { echo, peer } = await linked();
    for (let calls = 0; calls < 20; calls++) echo.link.open(Buffer.alloc(100_000), true);
    const closed = echo.link.close(60_000);
    await peer.when((seen) => seen.of(4).length === 20);
    const kinds = peer.frames.map(({ kind }) => kind);
    expect(kinds.lastIndexOf(11)).toBeLessThan(kinds.indexOf(10));
    peer.write(hello, ...peer.of(4).map(({ call }) => frame(4, call, "done")));
    await closed;
    expect(await echo.closed).toBeUndefined();
    expect(echo.answers.length).toBe(20);
  });
});
