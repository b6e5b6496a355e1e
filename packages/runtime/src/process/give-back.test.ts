import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { giveBackMemory } from "./give-back.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** Made in a function of its own, so that nothing on the stack holds on to what it stands for. */
function garbage(): WeakRef<object> {
  return new WeakRef({});
}

it("collects what is left over, once nobody waits for the plugin", async () => {
  let isBusy = true;
  const asked = vi.fn(() => isBusy);
  const left = garbage();
  giveBackMemory(asked);
  await turn();
  vi.advanceTimersByTime(2_500);
  expect(asked).toHaveBeenCalledTimes(2);
  isBusy = false;
  vi.advanceTimersByTime(1_000);
  await turn();
  expect(left.deref()).toBeUndefined();
  expect(vi.getTimerCount()).toBe(0);
  expect("gc" in globalThis).toBe(false);
});
