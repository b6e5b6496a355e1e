import { spawn } from "node:child_process";
import type { ExitStatus, PreparedCommand, ProcessGuard } from "@orchestrator/supervisor";

export interface CaptureSpec {
  /** The plugin's; default: the program. */
  readonly id?: string;
  /** With it, nothing that the program starts stays behind, nor the program when the hub is killed. */
  readonly guard?: ProcessGuard | undefined;
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment of the program. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Of what it prints; without it that is thrown away. */
  readonly maxBytes?: number;
  /** What it may read; default: nothing. */
  readonly input?: string;
}

/** How it ended: by itself, or what made an end of it; `error` where it could not be run at all. `stderr` is the last of it. */
export type Captured =
  | { readonly end: "exited"; readonly stdout: Buffer; readonly status: ExitStatus; readonly stderr: string }
  | { readonly end: "late" | "too-long"; readonly stderr: string }
  | { readonly end: "error"; readonly error: NodeJS.ErrnoException };

/** What is kept of stderr to explain a failure. */
const STDERR_BYTES = 2_048;

/** A program that is gone may leave bytes in the pipe, and so may a process that left its group. */
const DRAIN_MS = 200;

/**
 * Runs a program for what it prints, or for what it does. It has a process group of its own, and nothing of the group outlives
 * this: not when the program leaves children behind, not when it is late, and not when `signal` aborts.
 * @throws the signal's reason
 */
export async function capture(spec: CaptureSpec, signal: AbortSignal): Promise<Captured> {
  signal.throwIfAborted();
  let prepared: PreparedCommand | undefined;
  try {
    prepared = await spec.guard?.prepare({ id: spec.command[0], ...spec });
  } catch (error) {
    return { end: "error", error: error as NodeJS.ErrnoException };
  }
  try {
    return await run({ ...spec, ...prepared }, signal);
  } finally {
    if (prepared !== undefined) spec.guard?.clearSoon(prepared.instance);
  }
}

async function run(spec: CaptureSpec & Partial<PreparedCommand>, signal: AbortSignal): Promise<Captured> {
  const [program, ...args] = spec.command;
  const { maxBytes = Number.POSITIVE_INFINITY, input } = spec;
  const isHeard = spec.maxBytes !== undefined;
  const child = spawn(program, args, {
    cwd: spec.cwd,
    env: spec.env,
    stdio: [input === undefined ? "ignore" : "pipe", isHeard ? "pipe" : "ignore", "pipe"],
    detached: process.platform !== "win32",
  });
  const { pid } = child;
  if (pid === undefined) {
    return await new Promise((resolve) => child.once("error", (error) => resolve({ end: "error", error })));
  }
  spec.instance?.started(pid);
  child.on("error", () => {}); // kill() of a process that is gone
  const chunks: Buffer[] = [];
  let length = 0;
  let stderr = "";
  let status: ExitStatus = { code: null, signal: null };
  const ended = Promise.withResolvers<"exited" | "late" | "too-long" | "aborted">();
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  // A program that reads nothing is fine.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  child.stdout?.on("error", () => {});
  child.stdout?.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length > maxBytes) ended.resolve("too-long");
    else chunks.push(chunk);
  });
  child.stderr?.on("error", () => {});
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString("latin1")).slice(-STDERR_BYTES);
  });
  child.once("exit", (code, by) => {
    status = { code, signal: by };
    ended.resolve("exited");
  });
  const timer = setTimeout(() => ended.resolve("late"), spec.timeoutMs);
  const onAbort = () => ended.resolve("aborted");
  signal.addEventListener("abort", onAbort, { once: true });
  const end = await ended.promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", onAbort);
  killGroup(pid, () => child.kill("SIGKILL"));
  let drained: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    drained = setTimeout(resolve, DRAIN_MS);
  });
  await Promise.race([closed, late]);
  clearTimeout(drained);
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  if (end === "aborted") throw signal.reason;
  const said = Buffer.from(stderr, "latin1").toString();
  if (end !== "exited") return { end, stderr: said };
  if (length > maxBytes) return { end: "too-long", stderr: said };
  return { end, stdout: Buffer.concat(chunks), status, stderr: said };
}

function killGroup(pid: number, killOne: () => void): void {
  try {
    if (process.platform === "win32") killOne();
    else process.kill(-pid, "SIGKILL");
  } catch (reason) {
    // Nobody of the group is left.
    if ((reason as NodeJS.ErrnoException).code !== "ESRCH") killOne();
  }
}
