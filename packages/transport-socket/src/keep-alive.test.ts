import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { KeepAlive } from "./keep-alive.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "setInterval", "clearInterval"], now: 0 }));
afterEach(() => void vi.useRealTimers());

/** A link that was heard of when it began, with an interval of 10 ms. */
function watched() {
  const seen: string[] = [];
  const keepAlive = new KeepAlive(
    10,
    () => seen.push("ask"),
    () => seen.push("give up"),
  );
  const pass = async (ms: number) => {
    vi.advanceTimersByTime(ms);
    await turn();
    return seen;
  };
  return { keepAlive, pass };
}

it("asks after a silent interval, and gives up after another one", async () => {
  const { keepAlive, pass } = watched();
  expect(await pass(19)).toEqual([]);
  expect(await pass(1)).toEqual(["ask"]);
  expect(await pass(9)).toEqual(["ask"]);
  expect(await pass(1)).toEqual(["ask", "give up"]);
  keepAlive.stop();
  expect(vi.getTimerCount()).toBe(0);
});

it("bears with a peer that answers, as often as it is asked", async () => {
  const { keepAlive, pass } = watched();
  for (let asked = 1; asked <= 5; asked++) {
    expect(await pass(20)).toEqual(Array(asked).fill("ask"));
    keepAlive.heard();
  }
  keepAlive.stop();
});

it("takes what comes while it makes up its mind", async () => {
  const { keepAlive, pass } = watched();
  await pass(20);
  vi.advanceTimersByTime(10);
  keepAlive.heard();
  expect(await pass(0)).toEqual(["ask"]);
  keepAlive.stop();
});

it("gives another interval to a peer that was asked before this process stood still", async () => {
  const { keepAlive, pass } = watched();
  await pass(20);
  vi.setSystemTime(5_000);
  expect(await pass(10)).toEqual(["ask"]);
  expect(await pass(10)).toEqual(["ask", "give up"]);
  keepAlive.stop();
});
