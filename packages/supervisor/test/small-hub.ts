import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { findMarked } from "../src/orphans/find-marked.ts";
import type { HubMark } from "../src/orphans/hub-mark.ts";
import { killAll } from "../src/orphans/kill-all.ts";

export interface SmallHub extends HubMark, AsyncDisposable {
  readonly process: ChildProcess;
  readonly guardian: number;
  /** Process ids of the plugins. */
  readonly started: readonly number[];
  /** Ends it at once and waits until the system has collected it. */
  kill(): Promise<void>;
  /** The guardian's process id by now. */
  askGuardian(): Promise<number>;
}

/** A directory that is gone after the test. Not for tests that run beside each other. */
export function tempDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "supervisor-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Starts a process that guards plugins, by their misbehaviours, and waits until each is ready. Dispose of it: then all is gone. */
export async function startSmallHub(stateDir: string, ...plugins: string[]): Promise<SmallHub> {
  const program = join(import.meta.dirname, "fixtures", "small-hub.ts");
  const child = spawn(process.execPath, [program, stateDir, ...plugins], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const told = JSON.parse((await lines.next()).value as string);
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };
  const askGuardian = async () => {
    child.stdin!.write("?");
    return JSON.parse((await lines.next()).value as string).guardian as number;
  };
  const dispose = async () => {
    await kill();
    await killAll(told);
  };
  return { ...told, process: child, kill, askGuardian, [Symbol.asyncDispose]: dispose };
}

/** Everything of a hub that is alive. */
export async function survivors(mark: HubMark): Promise<number[]> {
  const found = await findMarked(mark, { environ: true });
  return found.map(({ pid }) => pid);
}
