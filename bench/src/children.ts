import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** How long a child may take to end once its stdin has. */
const END_MS = 10_000;

/** A helper process of a benchmark: says one line when it is ready, answers each line with a line, ends with its stdin. */
export interface Child extends AsyncDisposable {
  /** Its first line. */
  readonly line: string;
  readonly pid: number;
  readonly process: ChildProcess;
  /** Sends a line, and resolves with the line that answers it. Questions are answered in order. */
  ask(line: string): Promise<string>;
  /** The next line, for programs that also speak unasked. */
  next(): Promise<string>;
}

/** Every process that a run starts. What is still there at the end, or at a signal, is ended then. */
export class Children {
  readonly #running = new Set<RunningChild>();
  readonly #directories = new Set<string>();

  /** @param program a file of `processes/` */
  start(program: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Child> {
    return this.run(process.execPath, [join(import.meta.dirname, "processes", program), ...args], options);
  }

  /** Any program that keeps to what a {@link Child} does. */
  async run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Child> {
    const { silent, ...more } = options;
    // A group of its own: Ctrl-C reaches the run alone, and the run ends its children in good order.
    const child = new RunningChild(spawn(program, args, { stdio: CHILD_STDIO, detached: true, ...more }));
    this.#running.add(child);
    void child.exited.then(() => this.#running.delete(child));
    if (silent !== true) await child.ready();
    return child;
  }

  /** A short path for sockets and data, removed at the end of the run. */
  directory(): string {
    const path = mkdtempSync(join(tmpdir(), "orchestrator-bench-"));
    this.#directories.add(path);
    return path;
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((child) => child[Symbol.asyncDispose]()));
    for (const path of this.#directories) rmSync(path, { recursive: true, force: true });
  }
}

/** Standard error is the run's: what goes wrong in a child is seen. */
export const CHILD_STDIO = ["pipe", "pipe", "inherit"] as const satisfies SpawnOptions["stdio"];

export interface RunOptions extends SpawnOptions {
  /** It says nothing before it is asked. */
  readonly silent?: boolean;
}

class RunningChild implements Child {
  line = "";
  readonly process: ChildProcess;
  readonly exited: Promise<void>;
  readonly #waiting: PromiseWithResolvers<string>[] = [];
  readonly #unread: string[] = [];
  #gone = false;

  constructor(child: ChildProcess) {
    this.process = child;
    const name = child.spawnargs.slice(0, 2).join(" ");
    this.exited = new Promise((resolve) => {
      const gone = (why: string) => {
        this.#gone = true;
        for (const one of this.#waiting.splice(0)) one.reject(new Error(`${name} ${why}`));
        resolve();
      };
      child.once("exit", (code, signal) => gone(`ended early (${signal ?? `code ${code}`})`));
      child.once("error", (error) => gone(`cannot be started: ${error.message}`));
    });
    child.stdin?.on("error", () => {});
    createInterface({ input: child.stdout! }).on("line", (line) => {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#unread.push(line);
      else waiting.resolve(line);
    });
  }

  async ready(): Promise<void> {
    this.line = await this.next();
  }

  get pid(): number {
    return this.process.pid ?? -1;
  }

  ask(line: string): Promise<string> {
    this.process.stdin!.write(`${line}\n`);
    return this.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#gone) return;
    this.process.stdin!.end();
    const timer = setTimeout(() => this.#kill(), END_MS);
    await this.exited;
    clearTimeout(timer);
  }

  next(): Promise<string> {
    const line = this.#unread.shift();
    if (line !== undefined) return Promise.resolve(line);
    const answer = Promise.withResolvers<string>();
    if (this.#gone) answer.reject(new Error("The process is gone"));
    else this.#waiting.push(answer);
    return answer.promise;
  }

  #kill(): void {
    try {
      process.kill(-this.pid, "SIGKILL");
    } catch {
      this.process.kill("SIGKILL");
    }
  }
}
