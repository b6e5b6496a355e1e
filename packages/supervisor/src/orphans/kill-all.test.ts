import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it, onTestFinished } from "vitest";
import { isAlive, readStat } from "../processes/process-stat.ts";
import { createHubMark, instanceEnv } from "./hub-mark.ts";
import { killAll } from "./kill-all.ts";

it.runIf(process.platform === "linux")("has tried before its patience is over, however late it is", async () => {
  const mark = createHubMark();
  const env = { PATH: process.env["PATH"] ?? "", ...instanceEnv(mark, "late", 0) };
  const child = spawn("sleep", ["1000"], { env, stdio: "ignore" });
  const gone = once(child, "exit");
  onTestFinished(() => void child.kill("SIGKILL"));
  const { startTime } = readStat(child.pid!)!;
  const find = async () =>
    isAlive(child.pid!) ? [{ pid: child.pid!, startTime, number: 0, by: "environ" as const }] : [];
  // As for a hub that was stopped for all of the time between its first look and its second.
  expect(await killAll(mark, { find, patienceMs: -1 })).toEqual({ killed: 1, left: [] });
  expect(await gone).toEqual([null, "SIGKILL"]);
});
