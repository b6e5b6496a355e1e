import { Duplex } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { bidFarewell } from "./farewell.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

/** A socket whose peer takes one write whenever `take` is called, and never ends its side; two writes wait. */
function slow() {
  const waiting: (() => void)[] = [];
  const socket = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => waiting.push(done) });
  socket.write("one");
  socket.write("two");
  const take = async () => {
    waiting.shift()!();
    await turn();
  };
  return { socket, take };
}

it("cuts off a peer that takes nothing, after some looks", () => {
  const { socket } = slow();
  bidFarewell(socket, 10);
  vi.advanceTimersByTime(49);
  expect(socket.destroyed).toBe(false);
  vi.advanceTimersByTime(1);
  expect(socket.destroyed).toBe(true);
});

it("waits for one that takes something now and then, and lets go of it when it has everything", async () => {
  const { socket, take } = slow();
  bidFarewell(socket, 10);
  vi.advanceTimersByTime(40);
  await take();
  vi.advanceTimersByTime(50);
  expect(socket.destroyed).toBe(false);
  await take();
  expect(socket.writableFinished).toBe(true);
  vi.advanceTimersByTime(20);
  expect(socket.destroyed).toBe(true);
  await turn();
  expect(vi.getTimerCount()).toBe(0);
});
