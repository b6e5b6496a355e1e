import { spawn } from "node:child_process";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { PreparedCommand, ProcessGuard } from "@orchestrator/supervisor";

export interface AskOptions {
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
  readonly guard?: ProcessGuard | undefined;
}

/** What is kept of stderr to explain a failure. */
const STDERR_BYTES = 2_048;
/** After a program has ended, its output may still be held open by a child that has left its group; that is not waited for. */
const LINGER_MS = 200;

/**
 * Runs a program that prints one thing and ends. It and whatever it starts are one process group, which is killed as a whole at
 * the end, in any case.
 * @returns its stdout
 * @throws {HubError} `START_FAILED`: it cannot be run, exits with another code than 0, takes too long, prints too much, or
 * something that is not UTF-8
 */
export async function askProgram(command: readonly [string, ...string[]], options: AskOptions): Promise<string> {
  options.signal?.throwIfAborted();
  const prepared = await options.guard
    ?.prepare({ id: command[0], command, ...options })
    .catch((error: NodeJS.ErrnoException) => {
      throw new HubError(ErrorCode.StartFailed, cannotRun(command[0], error), { cause: error });
    });
  try {
    return await ask(prepared?.command ?? command, { ...options, ...prepared });
  } finally {
    if (prepared !== undefined) options.guard?.clearSoon(prepared.instance);
  }
}

async function ask(
  command: readonly [string, ...string[]],
  options: AskOptions & Partial<PreparedCommand>,
): Promise<string> {
  const [program, ...args] = command;
  const { cwd, env, timeoutMs, maxBytes, signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  if (child.pid !== undefined) options.instance?.started(child.pid);
  const chunks: Buffer[] = [];
  let size = 0;
  let stderr = "";
  const fail = (what: string) => {
    const last = stderr.trim().split("\n").at(-1) ?? "";
    reject(new HubError(ErrorCode.StartFailed, last === "" ? what : `${what}; it said: ${last}`));
  };
  child.stdout.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) fail(`It printed more than ${maxBytes} bytes`);
    else chunks.push(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString("latin1")).slice(-STDERR_BYTES);
  });
  const done = (code: number | null, by: NodeJS.Signals | null) => {
    if (code !== 0) return fail(by === null ? `It exited with code ${code}` : `It was ended by ${by}`);
    try {
      resolve(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)));
    } catch {
      fail("It printed bytes that are not UTF-8");
    }
  };
  const timers: NodeJS.Timeout[] = [];
  timers.push(setTimeout(() => fail(`It gave no answer within ${timeoutMs} ms`), timeoutMs));
  child.on("error", (error: NodeJS.ErrnoException) => {
    fail(cannotRun(program, error));
  });
  child.on("exit", (code, by) => {
    killGroup(child.pid);
    timers.push(setTimeout(() => done(code, by), LINGER_MS));
  });
  child.on("close", done);
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await promise;
  } finally {
    for (const timer of timers) clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    killGroup(child.pid);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

function cannotRun(program: string, error: NodeJS.ErrnoException): string {
  const hint = error.code === "EACCES" ? `. Try: chmod +x "${program}"` : "";
  return `It cannot be run (${error.code ?? error.message})${hint}`;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
}
