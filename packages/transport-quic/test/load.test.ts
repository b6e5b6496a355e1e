import { LinkPeer } from "@orchestrator/transport";
import { bytes, firstDifference, pattern, Recorder } from "@orchestrator/transport/conformance";
import { describe, expect, it } from "vitest";
import { dialQuic } from "../src/endpoint/dial.ts";
import { listenQuic } from "../src/endpoint/listen.ts";
import { ownLoopback } from "./loopback.ts";
import { LossyProxy } from "./lossy-proxy.ts";
import { testMaterial } from "./material.ts";
import { quicPair } from "./pair.ts";

const material = await testMaterial();
/** `ORCHESTRATOR_SOAK=full` runs what the continuous build has no time for. */
const full = process.env["ORCHESTRATOR_SOAK"] === "full";

/** A sign of life would end any stall: none is asked for while a test lasts. */
const seldomAlive = { idleTimeoutMs: 3_600_000, keepAliveMs: 1_200_000 };

function echoPeer(): LinkPeer {
  return new LinkPeer((call) => void call.reply(call.payload));
}

describe("load", () => {
  it("carries 512 concurrent calls of 20 KB each way, over and over", async () => {
    const [client, server] = [new LinkPeer(), echoPeer()];
    await using _pair = await quicPair(client.accept, server.accept, { material });
    for (let round = 0; round < (full ? 20 : 2); round++) {
      const calls = Array.from({ length: 512 }, async (_, index) => {
        const payload = pattern(20_000, index + round);
        return firstDifference(await client.call(payload), payload);
      });
      expect(new Set(await Promise.all(calls))).toEqual(new Set([-1]));
    }
  }, 60_000);

  it.each([0.01, 0.03, 0.05])(
    "loses nothing when %f of the datagrams are lost",
    async (loss) => {
      const [client, server] = [new LinkPeer(), echoPeer()];
      let proxy: LossyProxy | undefined;
      await using _pair = await quicPair(client.accept, server.accept, {
        material,
        via: async (address) => {
          // A seed that spares the handshake, whose first repetition takes a second.
          proxy = await LossyProxy.start(address, loss, 2_024);
          return proxy.address;
        },
      });
      const chain = async (seed: number) => {
        for (let step = 0; step < (full ? 200 : 20); step++) {
          const payload = pattern(1 + ((seed * 7_919 + step * 104_729) % 20_000), seed + step);
          expect(firstDifference(await client.call(payload), payload)).toBe(-1);
        }
      };
      await Promise.all(Array.from({ length: 32 }, (_, seed) => chain(seed)));
      expect(proxy!.lost).toBeGreaterThan(0);
      await proxy![Symbol.asyncDispose]();
    },
    120_000,
  );

  it.each([
    ["a fifth of the datagrams is lost", { lost: 0.2 }],
    ["a fifth comes late", { late: 0.2 }],
    ["a fifth comes twice", { doubled: 0.2 }],
    ["all of that happens", { lost: 0.05, late: 0.1, doubled: 0.1 }],
  ])(
    // One would not end before the test does.
    "has no stall when %s",
    async (_what, mischief) => {
      const [client, server] = [new LinkPeer(), echoPeer()];
      let proxy: LossyProxy | undefined;
      await using _pair = await quicPair(client.accept, server.accept, {
        material,
        dial: seldomAlive,
        listen: seldomAlive,
        via: async (address) => {
          proxy = await LossyProxy.start(address, mischief, 15);
          return proxy.address;
        },
      });
      const calls = full ? 200 : 10;
      const call = async (size: number, seed: number) => {
        const payload = pattern(size, seed);
        // The soak has the machine for itself: there a call that took so long was held up.
        const limits = full ? { signal: AbortSignal.timeout(9_000) } : {};
        expect(firstDifference(await client.call(payload, limits), payload)).toBe(-1);
      };
      const chain = async (seed: number) => {
        for (let step = 0; step < calls; step++)
          await call(1 + ((seed * 7_919 + step * 104_729) % 20_000), seed + step);
      };
      await Promise.all(Array.from({ length: 8 }, (_, seed) => chain(seed)));
      // Alone on the connection a packet is followed by nothing that would prove its loss.
      for (let step = 0; step < calls; step++) await call(600, step);
      expect(proxy!.lost + proxy!.late + proxy!.doubled).toBeGreaterThan(0);
      await proxy![Symbol.asyncDispose]();
    },
    full ? 300_000 : 60_000,
  );

  it("serves a client that comes back after the server was away", async () => {
    const address = await listenQuic(ownLoopback(), { tls: material.server }, new Recorder().accept).then(
      async (listener) => {
        await listener.close();
        return listener.address;
      },
    );
    for (let round = 0; round < 3; round++) {
      const listener = await listenQuic(address, { tls: material.server }, (link) => echoPeer().accept(link));
      const recorder = new Recorder();
      const link = await dialQuic(address, { tls: material.client }, recorder.accept);
      const call = link.open(bytes(round), true);
      await recorder.until("message");
      expect(recorder.all("message").map((told) => [told.call, told.payload[0]])).toEqual([[call, round]]);
      await listener.close(0);
      await recorder.until("closed");
    }
  });

  it("streams without a gap when datagrams are lost", async () => {
    const server = new LinkPeer(async (call) => {
      for (let index = 0; index < 100; index++) await call.reply(pattern(10_000, index), index === 99);
    });
    const client = new LinkPeer();
    let proxy: LossyProxy | undefined;
    await using _pair = await quicPair(client.accept, server.accept, {
      material,
      dial: { maxDatagramBytes: 1_350 },
      via: async (address) => {
        proxy = await LossyProxy.start(address, 0.03, 99);
        return proxy.address;
      },
    });
    let index = 0;
    for await (const piece of client.stream(bytes(1))) {
      expect(firstDifference(piece, pattern(10_000, index++))).toBe(-1);
    }
    expect(index).toBe(100);
    await proxy![Symbol.asyncDispose]();
  }, 60_000);

  it("waits with calls over the peer's limit, and makes them all in the end", async () => {
    let atOnce = 0;
    let most = 0;
    const server = new LinkPeer(async (call) => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce--;
      call.reply(call.payload);
    });
    const client = new LinkPeer();
    await using _pair = await quicPair(client.accept, server.accept, { material, listen: { maxConcurrentCalls: 100 } });
    const answers = await Promise.all(Array.from({ length: 2_000 }, (_, index) => client.call(bytes(index & 255))));
    expect(answers.every((answer, index) => answer[0] === (index & 255))).toBe(true);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(100);
  });

  it("cancels calls that wait for their turn, without using it up", async () => {
    const client = new Recorder();
    const server = new Recorder();
    await using _pair = await quicPair(client.accept, server.accept, { material, listen: { maxConcurrentCalls: 10 } });
    const calls = Array.from({ length: 30 }, (_, index) => client.link.open(bytes(index), true));
    await server.until("request", 10);
    for (const call of calls.slice(10, 25)) client.link.cancel(call);
    for (const told of server.all("request")) server.link.send(told.call, told.payload, true);
    await server.until("request", 15);
    expect(server.all("request").map((told) => told.payload[0])).toEqual([
      ...Array.from({ length: 10 }, (_, index) => index),
      ...Array.from({ length: 5 }, (_, index) => 25 + index),
    ]);
  });

  it(`keeps its memory flat over ${full ? "100 000" : "10 000"} calls and many connections`, async () => {
    const calls = full ? 100_000 : 10_000;
    const [client, server] = [new LinkPeer(), echoPeer()];
    await using pair = await quicPair(client.accept, server.accept, { material });
    const run = async (count: number) => {
      let left = count;
      const chain = async () => {
        while (left-- > 0) await client.call(bytes(1, 2, 3));
      };
      await Promise.all(Array.from({ length: 64 }, chain));
    };
    await run(calls / 5);
    const before = heapNow();
    await run(calls);
    expect([client.openCalls, server.openCalls]).toEqual([0, 0]);
    // A call that left anything behind on the heap would show as hundreds of bytes.
    expect((heapNow() - before) / calls).toBeLessThan(40);
    await pair.connecting.close();
    await pair.accepting.closed;

    await using listener = await listenQuic("localhost:0", { tls: material.server }, (link) => echoPeer().accept(link));
    for (let round = 0; round < (full ? 100 : 20); round++) {
      const peer = new LinkPeer();
      const link = await dialQuic(listener.address, { tls: material.client }, peer.accept);
      await peer.call(bytes(1));
      await link.close();
    }
  }, 120_000);
});

/** Bytes in use after a full collection, as exact as the engine allows. */
function heapNow(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
