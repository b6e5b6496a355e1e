import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const FULL = process.env["ORCHESTRATOR_SOAK"] === "full";
const CALLS = FULL ? 1_000_000 : 30_000;
const CRASHES = FULL ? 1_000 : 9;
/** A short run has not seen all of the memory that a process takes once and keeps. */
const RSS_GROWTH = FULL ? 1.05 : 1.5;
/** The log and the records of calls fill up to their bounds meanwhile. */
const HELD_GROWTH = FULL ? 1.08 : 1.05;

interface Figures {
  readonly rss: number;
  readonly held: number;
  readonly descriptors: number;
}

describe.skipIf(!existsSync("/proc/self/fd"))(`a hub after ${CALLS} calls and ${CRASHES} crashes`, () => {
  it(
    "holds no more than before, and no call of the healthy plugin failed",
    async () => {
      const program = join(import.meta.dirname, "fixtures", "soak-hub.ts");
      // Calls over a socket cost half as much.
      const args = ["--expose-gc", program, String(CALLS), String(CRASHES), FULL ? "quic" : "unix"];
      const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 3_600_000 });
      const found = JSON.parse(stdout.trim().split("\n").at(-1)!) as {
        readonly before: Figures;
        readonly after: Figures;
        readonly failed: number;
        readonly crashed: number;
        readonly wrongErrors: number;
        readonly callsInFlight: number;
      };
      expect(found).toMatchObject({ failed: 0, wrongErrors: 0, callsInFlight: 0 });
      expect(found.crashed).toBeGreaterThanOrEqual(CRASHES);
      expect(found.after.descriptors).toBeLessThanOrEqual(found.before.descriptors);
      expect(found.after.rss / found.before.rss).toBeLessThan(RSS_GROWTH);
      expect(found.after.held / found.before.held).toBeLessThan(HELD_GROWTH);
    },
    FULL ? 3_600_000 : 120_000,
  );
});
