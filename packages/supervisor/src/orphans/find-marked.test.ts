import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { tempDirectory } from "../../test/small-hub.ts";
import { findMarked } from "./find-marked.ts";
import {
  createHubMark,
  type HubMark,
  instanceDigits,
  instanceEnv,
  MAX_INSTANCES,
  numberInEnviron,
  numberInLimits,
} from "./hub-mark.ts";

const limits = (soft: string) => `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max file locks            ${soft.padEnd(20)} unlimited            locks     
Max pending signals       96187                96187                signals   
`;

/** A /proc of its own making. */
function makeProc(
  processes: Readonly<Record<number, { limits?: string; environ?: string; cmdline?: string; stat?: string }>>,
): string {
  const proc = tempDirectory();
  for (const [pid, files] of Object.entries(processes)) {
    mkdirSync(join(proc, pid));
    const stat = files.stat ?? `${pid} (a program) S 1 ${"0 ".repeat(17)}4711 0`;
    writeFileSync(join(proc, pid, "stat"), stat);
    writeFileSync(join(proc, pid, "limits"), files.limits ?? limits("unlimited"));
    writeFileSync(join(proc, pid, "environ"), files.environ ?? "PATH=/bin\0");
    writeFileSync(join(proc, pid, "cmdline"), files.cmdline ?? "a\0program\0");
  }
  return proc;
}

function environ(mark: HubMark, number: number): string {
  const entries = Object.entries({ PATH: "/bin", ...instanceEnv(mark, "a/b c", number) });
  return entries.map(([name, value]) => `${name}=${value}\0`).join("");
}

describe("a mark", () => {
  it("is found again in limits and environments, for any number, and never that of another hub", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_INSTANCES - 1 }), (number) => {
        const [mark, other] = [createHubMark(), createHubMark()];
        expect(instanceDigits(mark, number)).toHaveLength(18);
        expect(BigInt(instanceDigits(mark, number))).toBeLessThan(2n ** 63n);
        expect(numberInLimits(mark, limits(instanceDigits(mark, number)))).toBe(number);
        expect(numberInLimits(other, limits(instanceDigits(mark, number)))).toBeUndefined();
        expect(numberInEnviron(mark, environ(mark, number))).toBe(number);
        expect(numberInEnviron(other, environ(mark, number))).toBeUndefined();
      }),
    );
  });

  it("is none in a text that only holds it", () => {
    const mark = createHubMark();
    const digits = instanceDigits(mark, 7);
    expect(numberInLimits(mark, limits("unlimited").replace("96187", digits))).toBeUndefined();
    expect(numberInLimits(mark, limits(`${digits}0`))).toBeUndefined();
    expect(numberInLimits(mark, limits(`1${digits}`))).toBeUndefined();
    expect(numberInEnviron(mark, `LAST_COMMAND=kill ${mark.token}\0`)).toBeUndefined();
    expect(numberInEnviron(mark, `ORCHESTRATOR_HUB_TOKEN=${mark.token}\0`)).toBe(-1);
  });
});

describe("findMarked", () => {
  it("finds the living by either sign, and tells which instance they belong to", async () => {
    const mark = createHubMark();
    const proc = makeProc({
      1: {},
      20: { limits: limits(instanceDigits(mark, 5)) },
      21: { limits: limits(instanceDigits(mark, 5)), stat: `21 (a) b) Z 1 ${"0 ".repeat(17)}4712 0` },
      22: { environ: environ(mark, 6) },
      23: { stat: "gone" },
    });
    const found = { startTime: "4711" };
    expect(await findMarked(mark, { proc, environ: false })).toEqual([{ ...found, pid: 20, number: 5, by: "limits" }]);
    expect(await findMarked(mark, { proc, environ: true })).toEqual([
      { ...found, pid: 20, number: 5, by: "limits" },
      { ...found, pid: 22, number: 6, by: "environ" },
    ]);
  });

  it("finds one by its environment that is just loading a program", async () => {
    const mark = createHubMark();
    const proc = makeProc({
      30: { environ: "", cmdline: "" },
      31: { environ: "", cmdline: "sleep\0" },
      32: { environ: "", cmdline: "", stat: `32 (kworker) S 2 0 0 0 0 ${0x00200040} ${"0 ".repeat(12)}4711 0` },
    });
    const finding = findMarked(mark, { proc, environ: true });
    setTimeout(() => writeFileSync(join(proc, "30", "environ"), environ(mark, 8)), 5);
    expect(await finding).toEqual([{ startTime: "4711", pid: 30, number: 8, by: "environ" }]);
  });

  it("lets others have their turn while it looks through thousands of processes", async () => {
    const mark = createHubMark();
    const proc = tempDirectory();
    const text = limits("unlimited");
    for (let pid = 1; pid <= 200; pid += 1) {
      mkdirSync(join(proc, String(pid)));
      writeFileSync(join(proc, String(pid), "limits"), text);
    }
    let turns = 0;
    const count = () => {
      turns += 1;
      turning = setImmediate(count);
    };
    let turning = setImmediate(count);
    // A machine on which each look at the clock is a quarter of a millisecond after the last.
    let now = 0;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => {
      now += 0.25;
      return now;
    });
    onTestFinished(() => clock.mockRestore());
    await findMarked(mark, { proc, environ: false });
    clearImmediate(turning);
    // A turn at least every few milliseconds; a look that kept the loop to itself would have given two or three.
    expect(turns).toBeGreaterThan(now / 5);
  });

  it("finds nothing where there is no /proc", async () => {
    expect(await findMarked(createHubMark(), { proc: "/nowhere", environ: true })).toEqual([]);
  });
});
