import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { processesOf } from "../../packages/testkit/src/index.ts";

// Every process of a run inherits TMPDIR, plugins too: it tells them from all others.
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "orchestrator-bench-test-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "run.ts"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: directory },
  });
  let err = "";
  child.stdout.resume();
  child.stderr.setEncoding("utf8").on("data", (text) => {
    err += text;
  });
  const ended = new Promise<{ code: number | null; err: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, err })),
  );
  return { child, ended };
}

describe("pnpm bench", () => {
  it.each([[["no-such-suite"]], [["("]], [["--rounds", "0"]], [["--scale", "x"]], [["--unknown"]], [["hub", "link"]]])(
    "refuses %j and says what there is",
    async (args) => {
      const { code, err } = await start(args).ended;
      expect(code).toBe(2);
      expect(err).toContain("pnpm bench [FILTER]");
    },
  );

  it("lists the suites when none has that name", async () => {
    expect((await start(["no-such-suite"]).ended).err).toMatch(/There are: frame, peek, .*hub.*start/);
  });

  it("leaves no process and no directory behind when it is interrupted", { timeout: 300_000 }, async () => {
    const { child, ended } = start(["^hub$", "--short", "--scale", "0.05"]);
    // The run itself, a hub with three plugins, and two gRPC servers.
    await expect
      .poll(() => processesOf(directory).length, { timeout: 200_000, interval: 50 })
      .toBeGreaterThanOrEqual(7);
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 130 });
    await expect.poll(() => processesOf(directory)).toEqual([]);
    expect(readdirSync(directory).filter((name) => /^orchestrator-(bench|test)-/.test(name))).toEqual([]);
  });
});
