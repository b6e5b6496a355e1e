import { PassThrough } from "node:stream";
import { HubLog } from "@orchestrator/hub";
import { describe, expect, it, onTestFinished } from "vitest";
import { startLogSink } from "./log-sink.ts";

const LIMITS = { burstLines: 1e6, burstLength: 1e9 };
const TEXT = { level: "info", format: "text", file: undefined, env: {} } as const;

describe("the hub's log, where it is written to", () => {
  it("holds no more than so much for a reader that reads nothing, and says later how much is missing", async () => {
    const log = new HubLog({ limits: LIMITS });
    const stderr = new PassThrough({ highWaterMark: 1 });
    onTestFinished(startLogSink(log, stderr, TEXT));
    for (let n = 0; n < 3_000; n += 1) log.write("info", "chatty", `${n} ${"x".repeat(1_000)}`);
    expect(stderr.writableLength).toBeLessThan(1.1 * 1024 * 1024);
    let read = "";
    stderr.on("data", (chunk: Buffer) => {
      read += chunk;
    });
    await expect.poll(() => stderr.writableLength).toBe(0);
    log.write("info", "chatty", "the last one");
    await expect.poll(() => read).toContain("the last one");
    const missing = Number(/hub (\d+) lines are missing here/.exec(read)?.[1]);
    const shown = read.split("\n").filter((line) => line.includes("chatty")).length;
    expect(shown + missing).toBe(3_001);
    expect(missing).toBeGreaterThan(1_000);
  });
});
