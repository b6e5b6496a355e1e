import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { isAlive, processesOf } from "./index.ts";

it("finds a process by what it was started with, until it is gone", async () => {
  const mark = `mark-${process.pid}-${Date.now()}`;
  const child = spawn(process.execPath, ["-e", "process.stdin.resume().on('end', () => process.exit(0))", mark]);
  await once(child, "spawn");
  expect(processesOf(mark)).toEqual([child.pid]);
  child.stdin.end();
  await once(child, "exit");
  expect(isAlive(child.pid!)).toBe(false);
  expect(processesOf(mark)).toEqual([]);
});
