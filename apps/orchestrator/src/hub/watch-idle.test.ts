import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { watchIdle } from "./watch-idle.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("ends a hub that nobody uses, and not one that comes to itself after a pause with a client at its door", () => {
  const reasons: string[] = [];
  const hub = { clientLinks: 1 };
  const timer = watchIdle(hub, 30_000, (reason) => reasons.push(reason));
  vi.advanceTimersByTime(60_000);
  hub.clientLinks = 0;
  vi.advanceTimersByTime(15_000);
  // The machine sleeps, which is one turn of the timer when it wakes.
  const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now() + 3_600_000);
  vi.advanceTimersByTime(1_000);
  clock.mockRestore();
  expect(reasons).toEqual([]);
  hub.clientLinks = 1;
  vi.advanceTimersByTime(1_000);
  hub.clientLinks = 0;
  vi.advanceTimersByTime(29_999);
  expect(reasons).toEqual([]);
  vi.advanceTimersByTime(1_000);
  expect(reasons).toEqual(["no client for 30 s"]);
  clearInterval(timer);
});
