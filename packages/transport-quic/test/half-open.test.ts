import { encodeFrame } from "@orchestrator/protocol";
import type { CallId, Link, LinkHandler } from "@orchestrator/transport";
import { bytes } from "@orchestrator/transport/conformance";
import { describe, expect, it } from "vitest";
import { dialQuic } from "../src/endpoint/dial.ts";
import { testMaterial } from "./material.ts";
import { RawServer } from "./raw-server.ts";

const material = await testMaterial();
const maxStreams = 20;

/** Takes the first message of an answer for all of it, and cancels what has no end by then. */
class FirstMessage implements LinkHandler {
  readonly answers: number[] = [];
  readonly failed: CallId[] = [];
  link!: Link;
  #told: () => void = () => {};

  readonly accept = (link: Link): LinkHandler => {
    this.link = link;
    return this;
  };

  message(call: CallId, payload: Uint8Array, last: boolean): void {
    if (payload.length > 0) this.answers.push(payload[0]!);
    if (!last) this.link.cancel(call);
    this.#told();
  }

  cancelled(call: CallId): void {
    this.failed.push(call);
    this.#told();
  }

  request(): void {}
  drained(): void {}
  closed(): void {}

  async when(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>((resolve) => (this.#told = resolve));
  }
}

/** Until the state is there; for what happens in QUIC alone, of which nobody is told. */
async function eventually(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe("plugins that answer without ending the call", () => {
  it.each([
    ["end it in a packet of its own", "later", 60_000],
    ["never do, while calls wait for a stream", "never", 60_000],
    ["never do", "never", 1],
    ["send more", "more", 60_000],
  ] as const)("are called as often as one likes when they %s", async (_what, then, lingerMs) => {
    const late: number[] = [];
    await using server = await RawServer.listen(material, maxStreams, (stream) => {
      server.write(stream, encodeFrame(bytes((stream >> 2) & 255)), false);
      late.push(stream);
      if (then === "never") return;
      setImmediate(() => {
        // A FIN alone, as Go peers send it; quiche loses one whose data is acknowledged before it leaves, so not alone here.
        for (const one of late.splice(0)) {
          if (then === "later") server.write(one, encodeFrame(bytes()), true);
          else server.write(one, encodeFrame(bytes(255)), false);
        }
      });
    });
    const caller = new FirstMessage();
    const link = await dialQuic(server.address, { tls: material.client, lingerMs }, caller.accept);
    let most = 0;
    for (let round = 0; round < 50; round++) {
      for (let call = 0; call < 10; call++) link.open(bytes(1), true);
      await caller.when(() => caller.answers.length === (round + 1) * 10);
      most = Math.max(most, server.openStreams);
    }
    expect(caller.answers).toEqual(Array.from({ length: 500 }, (_, index) => index & 255));
    expect(caller.failed).toEqual([]);
    if (then === "later") expect(server.refused).toBe(0);
    expect(most).toBeLessThanOrEqual(maxStreams);
    if (then === "later" || lingerMs === 1) await eventually(() => server.openStreams === 0);
    await link.close(0);
  });
});
