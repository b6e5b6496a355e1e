import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { ProcessLimits } from "./limits/process-limits.ts";
import type { GuardedInstance } from "./orphans/guarded-instance.ts";
import type { ProcessGuard } from "./orphans/process-guard.ts";
import { OutputReader } from "./output-reader.ts";
import type { ResourceUse } from "./processes/resource-use.ts";
import { startProblem } from "./start-problem.ts";
import { StderrTail } from "./stderr-tail.ts";

/** What to run. */
export interface LaunchSpec {
  /** For messages. */
  readonly id: string;
  /** Program and arguments; no shell is involved. */
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment of the child: nothing is inherited beside it. */
  readonly env: Readonly<Record<string, string>>;
  /** Hands a socket down as descriptor 3; its other end is `PluginProcess.linkSocket`. Not on Windows. */
  readonly withLink?: boolean;
  /** Sees to it that nothing of the plugin stays behind. Without it, only its process group is ended. */
  readonly guard?: ProcessGuard | undefined;
  /** The socket that the plugin will listen on: removed when it is gone, or the hub. Wants a guard. */
  readonly socket?: string | undefined;
  /** Wants a guard. Where they cannot be applied, the guard's warnings say so. */
  readonly limits?: ProcessLimits | undefined;
  /** Called for every line that the child writes to stderr or stdout, for as long as it lives. */
  readonly onLine: (line: string, stream: "stderr" | "stdout") => void;
}

/** How a process ended. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What a limit did to it. */
  readonly limit?: string;
}

export function describeExit(status: ExitStatus): string {
  const how = status.signal === null ? `exited with code ${status.code}` : `was ended by ${status.signal}`;
  return status.limit === undefined ? how : `${how}: ${status.limit}`;
}

/**
 * How long after its exit a plugin's last words are waited for. They are mostly there at once; but a grandchild may hold the pipe
 * open for as long as it likes.
 */
const LAST_WORDS_MS = 100;

/**
 * One child process in a process group of its own. Its stderr is read for ever: a pipe that nobody reads fills up at 64 KiB and
 * stops the plugin in its next log line.
 */
export class PluginProcess {
  readonly id: string;
  readonly pid: number;
  /** Resolves when the process is gone and its output was read; never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** This side of the socket that the child has as descriptor 3. It ends with the child, and the child sees its end with us. */
  readonly linkSocket: Duplex | undefined;
  readonly #child: ChildProcess;
  readonly #instance: GuardedInstance | undefined;
  readonly #tail = new StderrTail();
  #status: ExitStatus | undefined;
  #ready: ReadyWait | undefined;
  #readyAddress: string | undefined;

  private constructor(spec: LaunchSpec, child: ChildProcess, instance: GuardedInstance | undefined) {
    this.id = spec.id;
    this.#child = child;
    this.#instance = instance;
    this.pid = child.pid!;
    this.linkSocket = (child.stdio[3] as Duplex | null | undefined) ?? undefined;
    // A child that dies takes the socket with it; whoever uses the socket hears of that by itself.
    this.linkSocket?.on("error", () => {});
    const { ended: silent } = new OutputReader(child.stderr!, (line) => {
      this.#tail.push(line);
      if (this.#readyAddress === undefined && line.startsWith("READY ")) {
        this.#readyAddress = line.slice("READY ".length).trim();
        this.#ready?.resolve(this.#readyAddress);
      }
      spec.onLine(line, "stderr");
    });
    new OutputReader(child.stdout!, (line) => spec.onLine(line, "stdout"));
    this.exited = new Promise((resolve) => {
      child.once("exit", async (code, signal) => {
        const limit = code === 0 ? undefined : instance?.limitReached(signal === "SIGKILL");
        const status = { code, signal, ...(limit === undefined ? {} : { limit }) };
        this.#status = status;
        await settledWithin(silent, LAST_WORDS_MS);
        this.#ready?.reject(this.#gone());
        resolve(status);
      });
    });
  }

  /** @throws {HubError} `START_FAILED` when the program cannot be run at all; names the program and what to try */
  static async launch(spec: LaunchSpec): Promise<PluginProcess> {
    if (spec.guard === undefined) return await PluginProcess.#spawn(spec, undefined);
    const { instance, command, env } = await spec.guard.prepare(spec).catch((error) => {
      throw startError(spec, error);
    });
    try {
      return await PluginProcess.#spawn({ ...spec, command, env }, instance);
    } catch (reason) {
      await instance.clear();
      throw reason;
    }
  }

  static async #spawn(spec: LaunchSpec, instance: GuardedInstance | undefined): Promise<PluginProcess> {
    const [program, ...args] = spec.command;
    let child: ChildProcess;
    try {
      child = spawn(program, args, {
        cwd: spec.cwd,
        env: spec.env,
        stdio: ["ignore", "pipe", "pipe", ...(spec.withLink === true ? (["pipe"] as const) : [])],
        detached: true,
      });
    } catch (error) {
      // Some failures are thrown, others told.
      throw startError(spec, error as NodeJS.ErrnoException);
    }
    if (child.pid === undefined) {
      throw startError(spec, await new Promise<NodeJS.ErrnoException>((resolve) => child.once("error", resolve)));
    }
    child.on("error", () => {}); // kill() of a process that is already gone
    instance?.started(child.pid);
    return new PluginProcess(spec, child, instance);
  }

  get hasExited(): boolean {
    return this.#status !== undefined;
  }

  /** The last lines of stderr, oldest first. */
  stderrTail(count?: number): string[] {
    return this.#tail.lines(count);
  }

  /**
   * Waits for the line `READY <address>` on stderr.
   * @throws {HubError} `START_FAILED` when the process ends first or the time is over; carries the last stderr lines
   */
  async ready(timeoutMs: number, signal: AbortSignal): Promise<string> {
    if (this.#readyAddress !== undefined) return this.#readyAddress;
    if (this.#status !== undefined) {
      await this.exited;
      throw this.#gone();
    }
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#ready = { resolve, reject };
    const timer = setTimeout(async () => {
      await turnsOfTheLoop();
      reject(this.#failed(`wrote no line "READY <host:port>" to stderr within ${timeoutMs} ms`));
    }, timeoutMs);
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await promise;
    } finally {
      this.#ready = undefined;
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** What all of its processes use together; undefined without a guard, after the end, and where the system does not tell. */
  async usage(): Promise<ResourceUse | undefined> {
    return await this.#instance?.usage();
  }

  /** Signals the whole process group; a group that is gone is fine. */
  kill(signal: NodeJS.Signals): void {
    // Once the process was collected its number may become another's. What is left of the group is found by its mark.
    if (this.#status !== undefined && this.#instance !== undefined) return;
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") this.#child.kill(signal);
    }
  }

  /** @returns true when the process was gone within `ms` */
  async exitedWithin(ms: number): Promise<boolean> {
    if (this.#status !== undefined) return true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(resolve, ms, false);
    });
    const gone = await Promise.race([this.exited.then(() => true as const), late]);
    clearTimeout(timer);
    if (!gone) await turnsOfTheLoop();
    return gone || this.#status !== undefined;
  }

  /**
   * TERM, `termMs` of patience, KILL to the group; resolves when the process is gone. Also after a normal exit the group is
   * killed once more, because a plugin's own children may still be in it. With a guard, those that left it go too.
   */
  async end(termMs: number): Promise<ExitStatus> {
    if (this.#status === undefined) {
      this.kill("SIGTERM");
      await this.exitedWithin(termMs);
    }
    this.kill("SIGKILL");
    if (this.#instance === undefined) return await this.exited;
    // The process itself, or its last words, and the rest of it can be waited for at the same time.
    const [status] = await Promise.all([this.exited, this.#instance.clear()]);
    return status;
  }

  #gone(): HubError {
    return this.#failed(`${describeExit(this.#status!)} before it was ready`);
  }

  #failed(what: string): HubError {
    return withStderr(new HubError(ErrorCode.StartFailed, `Plugin "${this.id}" ${what}`), this.stderrTail(20));
  }
}

interface ReadyWait {
  resolve(address: string): void;
  reject(error: unknown): void;
}

const SILENT = ". It wrote nothing to stderr";

/** The same error with the last stderr lines of the plugin below its message, where it does not say so already. */
export function withStderr(error: HubError, lines: readonly string[]): HubError {
  if (error.message.endsWith(SILENT) || error.message.includes("\n  | ")) return error;
  if (lines.length === 0) return new HubError(error.code, `${error.message}${SILENT}`, { cause: error.cause });
  const text = lines.map((line) => `  | ${line}`).join("\n");
  return new HubError(error.code, `${error.message}. Its last words:\n${text}`, { cause: error.cause });
}

/**
 * Timers come first in a turn of the event loop. When this process was held up itself, what has come meanwhile is still to be read,
 * by two turns since a reader may have paused.
 */
async function turnsOfTheLoop(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await nextTurn();
}

/** @returns once the promise has settled, or `ms` later */
async function settledWithin(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<true>((resolve) => {
    timer = setTimeout(resolve, ms, true);
  });
  const isLate = await Promise.race([promise, late]);
  clearTimeout(timer);
  if (isLate === true) await turnsOfTheLoop();
}

function startError(spec: LaunchSpec, error: NodeJS.ErrnoException): HubError {
  const what = `Cannot start plugin "${spec.id}": ${startProblem(error, spec.command[0], spec.cwd)}`;
  return new HubError(ErrorCode.StartFailed, what, { cause: error });
}
