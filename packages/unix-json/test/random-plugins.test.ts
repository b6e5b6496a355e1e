import type { Socket } from "node:net";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { Driver } from "./driver.ts";
import { type Json, StandIn, sdkAnswer } from "./stand-in.ts";

/** What a plugin makes of a question that it has read. */
const DEEDS = {
  answers: (socket: Socket, answer: Buffer) => void socket.write(answer),
  "answers later": (socket: Socket, answer: Buffer) => void setTimeout(() => socket.write(answer), 2),
  "answers and ends": (socket: Socket, answer: Buffer) => void socket.end(answer),
  "answers and hangs up": (socket: Socket, answer: Buffer) => void socket.write(answer, () => socket.destroy()),
  "answers, reads no more and hangs up": (socket: Socket, answer: Buffer) => {
    socket.pause();
    socket.write(answer);
    setTimeout(() => socket.destroy(), 2);
  },
  "answers twice": (socket: Socket, answer: Buffer) => {
    socket.write(answer);
    setImmediate(() => socket.writable && socket.write(answer));
  },
  "answers half": (socket: Socket, answer: Buffer) => void socket.end(answer.subarray(0, answer.length / 2)),
  "answers another": (socket: Socket) => void socket.write(sdkAnswer("another", { status: 200 })),
  "hangs up": (socket: Socket) => void socket.destroy(),
  "says nothing": () => {},
} as const;
const ODD = Object.keys(DEEDS).slice(1) as (keyof typeof DEEDS)[];

const someDeed = fc.oneof(
  { weight: 12, arbitrary: fc.constant<keyof typeof DEEDS>("answers") },
  { weight: 1, arbitrary: fc.constantFrom(...ODD) },
  { weight: 1, arbitrary: fc.constant<keyof typeof DEEDS>("hangs up") },
);
const someCall = fc.record({
  method: fc.constantFrom("GET", "POST"),
  /** After how many milliseconds its caller goes away. */
  leavesAfterMs: fc.option(fc.nat(4), { freq: 12 }),
  bytes: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(300_000) }),
});
const somePlugin = fc.record({
  hands: fc.constantFrom(1, 2, 4, Number.POSITIVE_INFINITY),
  room: fc.constantFrom(1, 3, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
  /** It has shown that it keeps its connections, before it does anything odd. */
  isKnown: fc.boolean(),
  deeds: fc.array(someDeed, { minLength: 20, maxLength: 60 }),
  callers: fc.array(fc.array(someCall, { minLength: 5, maxLength: 15 }), { minLength: 1, maxLength: 20 }),
});

it("whatever a plugin does, each call ends once, with its own answer, and what must not be is never read twice", async () => {
  const property = fc.asyncProperty(somePlugin, async ({ hands, room, isKnown, deeds, callers }) => {
    const read = new Map<string, number>();
    let turn = 0;
    const behave = (message: Json, socket: Socket) => {
      const { method, path } = message["payload"].payload;
      if (method === "POST") read.set(path, (read.get(path) ?? 0) + 1);
      const deed = path === "/known" ? "answers" : deeds[turn++ % deeds.length]!;
      DEEDS[deed](socket, sdkAnswer(message["request_id"], { status: 200, body: path }));
    };
    await using plugin = await StandIn.listen(behave, { hands, room });
    using hub = new Driver(plugin.path, { httpTimeoutMs: 200 });
    if (isKnown) {
      await hub.get("/known").ended;
      await expect.poll(() => plugin.open.size).toBe(0);
    }
    const asks = callers.map(async (calls, caller) => {
      for (const [index, { method, leavesAfterMs, bytes }] of calls.entries()) {
        const path = `/${caller}/${index}`;
        const { call, ended } = hub.http({ method, path, body: new Uint8Array(bytes).fill(97) });
        const left = Promise.withResolvers<undefined>();
        const leave = () => {
          hub.link.cancel(call);
          left.resolve(undefined);
        };
        const timer = leavesAfterMs === null ? undefined : setTimeout(leave, leavesAfterMs);
        const outcome = await Promise.race([ended, left.promise]);
        clearTimeout(timer);
        if (outcome === undefined || "error" in outcome) continue;
        const { response } = outcome.response;
        if (response?.$case !== "http") throw new Error(`answered with ${response?.$case}`);
        expect(Buffer.from(response.value.body).toString()).toBe(path);
      }
    });
    await Promise.all(asks);
    expect([hub.doubled, hub.link.inFlight]).toEqual([0, 0]);
    expect([...read].filter(([, times]) => times > 1)).toEqual([]);
    void hub.link.close(0);
    await expect.poll(() => plugin.open.size).toBe(0);
  });
  await fc.assert(property, { numRuns: process.env["ORCHESTRATOR_SOAK"] === "full" ? 300 : 25 });
}, 600_000);
