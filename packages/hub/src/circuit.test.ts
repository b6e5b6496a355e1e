import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Circuit, MAX_COOL_DOWN_MS } from "./circuit.ts";

const circuit = (failures = 3, coolDownMs = 100) => new Circuit("web", { failures, coolDownMs });
const fail = (of: Circuit, times: number, nowMs = 0) => Array.from({ length: times }, () => of.failed({}, "no", nowMs));

describe("Circuit", () => {
  it("opens with the last of so many failures in a row, and tells so once", () => {
    const of = circuit();
    expect(fail(of, 2)).toEqual([false, false]);
    expect(of.answered()).toBe(false);
    expect(fail(of, 4)).toEqual([false, false, true, false]);
    expect([of.isOpen, of.failures, of.lastFailure]).toEqual([true, 4, "no"]);
  });

  it("is open, then half-open; a trial takes the place of the next one until it ends", () => {
    const of = circuit();
    fail(of, 3, 1_000);
    expect([of.state(1_099), of.waitMs(1_040)]).toEqual(["open", 60]);
    expect([of.state(1_100), of.waitMs(1_100)]).toEqual(["half-open", 0]);
    const trial = {};
    of.begin(trial, 1_100);
    expect([of.state(1_200), of.waitMs(1_200) > 0, of.isTrying]).toEqual(["half-open", true, true]);
    // The caller cancels it: that tells nothing, and the next call may try.
    of.left(trial, 1_300);
    expect([of.waitMs(1_300), of.isTrying]).toEqual([0, false]);
  });

  it("waits twice as long after each trial that fails, 30 s at most, and from the start again after an answer", () => {
    const of = circuit(3, 1_000);
    fail(of, 3);
    const waits: number[] = [];
    let nowMs = 0;
    for (let round = 0; round < 7; round += 1) {
      waits.push(of.waitMs(nowMs));
      nowMs += of.waitMs(nowMs);
      const trial = {};
      of.begin(trial, nowMs);
      expect(of.failed(trial, "no", nowMs)).toBe(false);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(of.answered()).toBe(true);
    fail(of, 3, nowMs);
    expect(of.waitMs(nowMs)).toBe(1_000);
  });

  it("what was under way before it opened changes nothing of its time, unless it is answered", () => {
    const of = circuit();
    fail(of, 5, 1_000);
    fail(of, 1, 1_050);
    expect(of.waitMs(1_050)).toBe(50);
    expect(of.answered()).toBe(true);
    expect(of.state(1_050)).toBe("closed");
  });

  it("a trial that never ends keeps the others out for so long and no longer", () => {
    const of = circuit();
    fail(of, 3);
    const [hung, next] = [{}, {}];
    of.begin(hung, 100);
    expect(of.waitMs(100 + MAX_COOL_DOWN_MS)).toBe(0);
    of.begin(next, 100 + MAX_COOL_DOWN_MS);
    // No longer the trial: it neither frees the place of the other one nor makes anybody wait.
    of.left(hung, 40_000);
    of.failed(hung, "no", 40_000);
    expect(of.isTrying).toBe(true);
  });
});

/** Calls that are made as soon as they may be, and how each ends: what a dispatcher does with a circuit. */
type Step =
  | { readonly is: "call" | "wait" }
  | { readonly is: "proper" | "failed" | "cancelled"; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Step>({ is: "call" }) },
  { weight: 2, arbitrary: fc.constant<Step>({ is: "wait" }) },
  {
    weight: 6,
    arbitrary: fc.record({ is: fc.constantFrom("proper", "failed", "failed", "failed", "cancelled"), which: fc.nat() }),
  },
) as fc.Arbitrary<Step>;

it("holds against a model of it, whatever is called and however it ends", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 300, size: "max" }),
      fc.nat(5),
      fc.integer({ min: 1, max: 50 }),
      (steps, most, coolMs) => {
        const of = circuit(most, coolMs);
        let nowMs = 0;
        const underWay: object[] = [];
        // The model: the failures in a row, when the next is due, and the one trial.
        let row = 0;
        let open: { dueMs: number; coolMs: number; trial: object | undefined } | undefined;
        for (const each of steps) {
          switch (each.is) {
            case "wait":
              nowMs += 7;
              break;
            case "call": {
              const isLet = of.waitMs(nowMs) === 0;
              expect(isLet).toBe(open === undefined || (open.trial === undefined && open.dueMs <= nowMs));
              if (!isLet) break;
              const call = {};
              underWay.push(call);
              if (of.isOpen) of.begin(call, nowMs);
              if (open !== undefined) open.trial = call;
              break;
            }
            default: {
              const [call] = underWay.splice(each.which % Math.max(1, underWay.length), 1);
              if (call === undefined) break;
              if (each.is === "proper") {
                expect(of.answered()).toBe(open !== undefined);
                row = 0;
                open = undefined;
              } else if (each.is === "cancelled") {
                of.left(call, nowMs);
                if (open?.trial === call) open = { ...open, trial: undefined, dueMs: nowMs };
              } else {
                const opened = of.failed(call, "no", nowMs);
                row += 1;
                expect(opened).toBe(open === undefined && most > 0 && row === most);
                if (opened) open = { dueMs: nowMs + coolMs, coolMs, trial: undefined };
                else if (open?.trial === call) {
                  const next = Math.min(2 * open.coolMs, MAX_COOL_DOWN_MS);
                  open = { dueMs: nowMs + next, coolMs: next, trial: undefined };
                }
              }
            }
          }
          expect(of.isOpen).toBe(open !== undefined);
          expect(of.isTrying).toBe(open?.trial !== undefined);
          expect(of.failures).toBe(most === 0 ? 0 : row);
        }
      },
    ),
    { numRuns: 60 },
  );
});
