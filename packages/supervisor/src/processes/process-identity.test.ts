import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { liveness, ownIdentity } from "./process-identity.ts";
import { isAlive, readStat } from "./process-stat.ts";

describe.runIf(process.platform === "linux")("whether a process lives", () => {
  const own = ownIdentity();

  it("is told by its start time, not by its id alone", () => {
    expect(liveness(own, own)).toBe("alive");
    expect(liveness({ ...own, startTime: `${own.startTime}1` }, own)).toBe("dead");
    expect(liveness({ ...own, boot: "another" }, own)).toBe("dead");
    expect(liveness({ ...own, machine: "another" }, own)).toBe("alive");
    expect(liveness({ ...own, machine: "another", boot: "another" }, own)).toBe("unknown");
    expect(liveness({ ...own, pidNamespace: "another" }, own)).toBe("unknown");
  });

  it("is not told by its number: one that has ended keeps that until its parent has noticed", async () => {
    // The shell becomes a program that looks after no children, and then the child may end.
    const parent = spawn("/bin/sh", ["-c", "exec 3<&0; read line <&3 & echo $!; exec sleep 600"], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    onTestFinished(() => void parent.kill("SIGKILL"));
    const [printed] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(printed.toString());
    await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, "utf8")).toBe("sleep\n");
    parent.stdin.end("\n");
    await expect.poll(() => readStat(pid)?.state).toBe("Z");
    const { startTime } = readStat(pid)!;
    expect(() => process.kill(pid, 0)).not.toThrow();
    expect([isAlive(pid), liveness({ ...own, pid, startTime }, own)]).toEqual([false, "dead"]);
  });
});
