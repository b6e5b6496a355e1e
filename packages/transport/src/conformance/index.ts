/** The tests that every carrier passes; they run under vitest. @module */
import { describe } from "vitest";
import { testCalls } from "./calls.ts";
import type { CarrierSetup } from "./carrier-pair.ts";
import { testClosing } from "./closing.ts";
import { testEndings } from "./endings.ts";
import { testWindows } from "./windows.ts";

export type { CarrierPair, CarrierSetup } from "./carrier-pair.ts";
export { bytes, echo, firstDifference, pattern, Recorder, type Told } from "./recorder.ts";

/**
 * Declares the tests for a carrier:
 *
 *     testCarrier("memory", { names, connect: async (connecting, accepting) => … });
 */
export function testCarrier(name: string, setup: CarrierSetup): void {
  describe(`carrier ${name}`, () => {
    describe("calls", () => testCalls(setup));
    describe("windows", () => testWindows(setup));
    describe("endings", () => testEndings(setup));
    describe("closing", () => testClosing(setup));
  });
}
