import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { LineSplitter, StderrTail } from "./stderr-tail.ts";

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
  /** Called for every line that the child writes to stderr or stdout, for as long as it lives. */
  readonly onLine: (line: string, stream: "stderr" | "stdout") => void;
}

/** How a process ended. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export function describeExit(status: ExitStatus): string {
  return status.signal === null ? `exited with code ${status.code}` : `was ended by ${status.signal}`;
}

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
  readonly #tail = new StderrTail();
  #status: ExitStatus | undefined;
  #ready: ReadyWait | undefined;
  #readyAddress: string | undefined;

  private constructor(spec: LaunchSpec, child: ChildProcess) {
    this.id = spec.id;
    this.#child = child;
    this.pid = child.pid!;
    this.linkSocket = (child.stdio[3] as Duplex | null | undefined) ?? undefined;
    // A child that dies takes the socket with it; whoever uses the socket hears of that by itself.
    this.linkSocket?.on("error", () => {});
    const stderr = new LineSplitter((line) => {
      this.#tail.push(line);
      if (this.#readyAddress === undefined && line.startsWith("READY ")) {
        this.#readyAddress = line.slice("READY ".length).trim();
        this.#ready?.resolve(this.#readyAddress);
      }
      spec.onLine(line, "stderr");
    });
    const stdout = new LineSplitter((line) => spec.onLine(line, "stdout"));
    child.stderr!.on("data", (chunk: Buffer) => stderr.push(chunk)).on("end", () => stderr.end());
    child.stdout!.on("data", (chunk: Buffer) => stdout.push(chunk)).on("end", () => stdout.end());
    // An error on a pipe (EBADF after a hard kill) must not take the hub down; the exit event tells the story.
    child.stderr!.on("error", () => {});
    child.stdout!.on("error", () => {});
    this.exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#status = { code, signal };
        this.#ready?.reject(this.#gone());
        // The pipes may stay open in a grandchild, so the exit does not wait for them; what was written is read by then
        // or with the next turns of the loop.
        setImmediate(() => resolve({ code, signal }));
      });
    });
  }

  /** @throws {HubError} `START_FAILED` when the program cannot be run at all; names the program and what to try */
  static async launch(spec: LaunchSpec): Promise<PluginProcess> {
    const [program, ...args] = spec.command;
    const child = spawn(program, args, {
      cwd: spec.cwd,
      env: spec.env,
      stdio: ["ignore", "pipe", "pipe", ...(spec.withLink === true ? (["pipe"] as const) : [])],
      detached: true,
    });
    if (child.pid === undefined) {
      const error = await new Promise<NodeJS.ErrnoException>((resolve) => child.once("error", resolve));
      throw new HubError(
        ErrorCode.StartFailed,
        `Cannot start plugin "${spec.id}": ${spawnHint(error, program, spec)}`,
        {
          cause: error,
        },
      );
    }
    child.on("error", () => {}); // kill() of a process that is already gone
    return new PluginProcess(spec, child);
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
    if (this.#status !== undefined) throw this.#gone();
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#ready = { resolve, reject };
    const timer = setTimeout(() => {
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

  /** Signals the whole process group; a group that is gone is fine. */
  kill(signal: NodeJS.Signals): void {
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
    return gone;
  }

  /**
   * TERM, `termMs` of patience, KILL to the group; resolves when the process is gone. Also after a normal exit the group is
   * killed once more, because a plugin's own children may still be in it.
   */
  async end(termMs: number): Promise<ExitStatus> {
    if (this.#status === undefined) {
      this.kill("SIGTERM");
      await this.exitedWithin(termMs);
    }
    this.kill("SIGKILL");
    return await this.exited;
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

/** The same error with the last stderr lines of the plugin below its message. */
export function withStderr(error: HubError, lines: readonly string[]): HubError {
  if (lines.length === 0)
    return new HubError(error.code, `${error.message}. It wrote nothing to stderr`, { cause: error.cause });
  const text = lines.map((line) => `  | ${line}`).join("\n");
  return new HubError(error.code, `${error.message}. Its last words:\n${text}`, { cause: error.cause });
}

function spawnHint(error: NodeJS.ErrnoException, program: string, spec: LaunchSpec): string {
  switch (error.code) {
    case "ENOENT":
      return `"${program}" was not found (or its interpreter, or the directory "${spec.cwd}"). Check "binary" in the config`;
    case "EACCES":
      return `"${program}" is not executable. Try: chmod +x "${program}"`;
    case "EMFILE":
    case "EAGAIN":
      return `the system has no more processes or descriptors to give (${error.code}). Check ulimit -n and -u`;
    default:
      return `${error.message}`;
  }
}
