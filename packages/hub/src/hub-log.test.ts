import { describe, expect, it, onTestFinished, vi } from "vitest";
import { DeniedLog } from "./denied-log.ts";
import { FloodGate } from "./flood-gate.ts";
import { HubLog } from "./hub-log.ts";
import { fairShare } from "./log-memory.ts";
import { printable } from "./printable.ts";

const texts = (log: HubLog, source = "") => log.tail(10_000, source).map(({ text }) => text);

/** What may be written grows with the time: none passes, however slow the machine is. */
function stopClock(): void {
  vi.useFakeTimers({ toFake: ["performance", "Date"] });
  onTestFinished(() => void vi.useRealTimers());
}

describe("HubLog", () => {
  it("writes control characters out, so that no text can be a second line or command a terminal", () => {
    const log = new HubLog();
    log.write("info", "p", "one\ntwo\r\n\u001b[31mred\u0000\u0085\u2028\u202e\ttab ü");
    expect(texts(log)).toEqual([String.raw`one\ntwo\r\n\x1b[31mred\x00\x85\u2028\u202e` + "\ttab ü"]);
  });

  it("cuts a long line and says so", () => {
    const log = new HubLog();
    log.write("info", "p", "x".repeat(20_000));
    expect(texts(log)[0]).toBe(`${"x".repeat(16_384)}… (3616 more characters)`);
  });

  it("holds back a source that floods it, with its last lines and the number of the others", async () => {
    const log = new HubLog({ limits: { burstLines: 5, linesPerSecond: 0.001 }, summaryMs: 1 });
    for (let n = 0; n < 100; n += 1) log.write("info", "loud", `line ${n}`);
    log.write("info", "quiet", "heard");
    expect(texts(log)).toEqual(["line 0", "line 1", "line 2", "line 3", "line 4", "heard"]);
    await expect.poll(() => texts(log, "loud").at(-1)).toBe("line 99");
    expect(texts(log, "loud").slice(5, 7)).toEqual(["… suppressed 85 lines that came too fast", "line 90"]);
    expect(log.tail(100, "loud").filter(({ level }) => level === "warn")).toHaveLength(1);
  });

  it("keeps the order of a source that is held back and may go on meanwhile", async () => {
    const log = new HubLog({ limits: { burstLines: 1, linesPerSecond: 1_000 }, summaryMs: 20 });
    for (const text of ["a", "b"]) log.write("info", "loud", text);
    const since = performance.now();
    while (performance.now() < since + 3);
    log.write("info", "loud", "c");
    await expect.poll(() => texts(log)).toEqual(["a", "b", "c"]);
  });

  it("counts a line of the hub for the peer that caused it", () => {
    const log = new HubLog({ limits: { burstLines: 2, linesPerSecond: 0 } });
    for (let n = 0; n < 10; n += 1) log.writeAbout("bad", "warn", "hub", "refused");
    log.write("info", "hub", "still here");
    log.write("info", "bad", "I am fine");
    expect(texts(log)).toEqual(["refused", "refused", "still here", "I am fine"]);
  });

  it("says less about one peer than the peer may say itself", () => {
    stopClock();
    const log = new HubLog();
    for (let n = 0; n < 500; n += 1) log.writeAbout("bad", "warn", "hub", "an event was lost");
    for (let n = 0; n < 500; n += 1) log.write("info", "bad", "working");
    expect(texts(log, "hub").length).toBeLessThan(110);
    expect(texts(log, "bad")).toHaveLength(500);
  });

  it("forgets lines of the sources that wrote most", () => {
    const log = new HubLog({ limits: { burstLines: 1e6, burstLength: 1e9 } });
    log.write("info", "quiet", "kept");
    for (let n = 0; n < 20_000; n += 1) log.write("info", "loud", `line ${n} ${"x".repeat(1_000)}`);
    expect(texts(log, "quiet")).toEqual(["kept"]);
    const loud = texts(log, "loud");
    expect(loud.at(-1)).toContain("line 19999 ");
    expect(loud.length).toBeLessThan(4_200);
    expect(loud.length).toBeGreaterThan(2_000);
    expect(log.tail(0)).toEqual([]);
  });
});

describe("FloodGate", () => {
  it("lets a burst through, then as much per second as it may be", () => {
    const gate = new FloodGate({ burstLines: 3, burstLength: 100, linesPerSecond: 2, lengthPerSecond: 10 });
    const at = (nowMs: number, length = 1) => gate.admits("a", length, nowMs);
    expect([at(0), at(0), at(0), at(0)]).toEqual([true, true, true, false]);
    expect([at(499), at(500), at(501)]).toEqual([false, true, false]);
    expect(gate.admits("b", 1, 501)).toBe(true);
    expect(gate.takeSuppressed("a")).toBe(3);
    expect(gate.takeSuppressed("a")).toBe(0);
    // One line may be longer than all that is left; the next ones wait for it.
    expect([at(100_000, 500), at(100_000), at(130_000), at(141_000)]).toEqual([true, false, false, true]);
  });

  it("remembers a bounded number of names", () => {
    const gate = new FloodGate({ burstLines: 1, burstLength: 1, linesPerSecond: 0, lengthPerSecond: 0 });
    gate.admits("told", 1, 0);
    gate.admits("told", 1, 0);
    for (let n = 0; n < 5_000; n += 1) gate.admits(`name ${n}`, 1, 0);
    expect(gate.takeSuppressed("told")).toBe(1);
  });
});

describe("DeniedLog", () => {
  it("tells and records refused calls, and of a flood how many there were", () => {
    stopClock();
    const log = new HubLog();
    const records: string[] = [];
    const denied = new DeniedLog({ log, record: (caller, name) => records.push(`${caller}: ${name}`) });
    const caller = { id: "tools.a", kind: "plugin" } as const;
    for (let n = 0; n < 1_000; n += 1) denied.denied(caller, "tool", `t${n}`, "needs_tools does not list it");
    denied.denied({ id: "tools.b", kind: "plugin" }, "http", "/x", "rule 7");
    expect(denied.total).toBe(1_001);
    expect(records.slice(0, 2)).toEqual(["tools.a: tool t0", "tools.a: tool t1"]);
    expect(records.at(-1)).toBe("tools.b: http /x");
    expect(records.length).toBeLessThan(30);
    expect(texts(log)[0]).toBe('Refused "tools.a" the use of tool "t0": needs_tools does not list it');
    expect(texts(log)).toHaveLength(records.length);
  });
});

it("printable leaves ordinary text alone, time after time", () => {
  for (const text of ["", "plain", "ünïcode 日本 🙂", "\u001b", "plain"]) {
    expect(printable(text)).toBe(text === "\u001b" ? String.raw`\x1b` : text);
  }
});

it("fairShare takes from the largest", () => {
  expect(fairShare([1, 2, 3], 6)).toBe(Number.POSITIVE_INFINITY);
  expect(fairShare([1, 2, 100], 10)).toBe(7);
  expect(fairShare([100, 1, 100], 21)).toBe(10);
});
