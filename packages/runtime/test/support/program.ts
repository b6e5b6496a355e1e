import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { COMPILE_CACHE } from "./compile-cache.ts";

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Runs it under Deno instead of Node. */
  readonly deno?: boolean;
  /** Leaves stderr unread once the program is ready, as some hosts do. */
  readonly stopReading?: boolean;
}

/** A plugin run as a program, the way that hosts run it. Killed at the end, if it is still there. */
export class Program implements AsyncDisposable {
  readonly child: ChildProcess;
  /** What it wrote to stderr, line by line. */
  readonly lines: string[] = [];
  stdout = "";
  /** Exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  readonly #watchers = new Set<() => void>();

  constructor(command: string, words: readonly string[], options: ProgramOptions = {}) {
    this.child = spawn(command, words, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NODE_COMPILE_CACHE: process.env[COMPILE_CACHE], ...options.env },
    });
    this.child.stdout!.on("data", (chunk) => {
      this.stdout += String(chunk);
    });
    const reader = createInterface({ input: this.child.stderr! });
    reader.on("line", (line) => {
      this.lines.push(line);
      for (const check of this.#watchers) check();
      if (options.stopReading && line.startsWith("READY ")) this.child.stderr!.pause();
    });
    // Under Deno the child may be closed before its last lines were read.
    const read = once(reader, "close");
    this.exited = once(this.child, "close").then(async ([code, signal]) => {
      await read;
      for (const check of this.#watchers) check();
      return (code ?? signal) as number | string;
    });
  }

  /** Waits for a line that matches, from the `from`th on, and returns it. Fails when the program ends without it. */
  async line(pattern: RegExp, from = 0): Promise<string> {
    let isOver = false;
    void this.exited.then(() => {
      isOver = true;
    });
    for (;;) {
      const found = this.lines.slice(from).find((line) => pattern.test(line));
      if (found !== undefined) return found;
      if (isOver) throw new Error(`The program ended without ${pattern}:\n${this.lines.join("\n")}`);
      await new Promise<void>((resolve) => {
        const check = () => {
          this.#watchers.delete(check);
          resolve();
        };
        this.#watchers.add(check);
      });
    }
  }

  /** Waits for READY and returns the address. */
  async ready(): Promise<string> {
    return (await this.line(/^READY /)).slice("READY ".length);
  }

  /**
   * Sends a signal, which a program that has ended by itself does not get. Not by `child.kill`: after that Deno reports the signal
   * in place of the program's own exit code.
   */
  signal(name: NodeJS.Signals): void {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    try {
      process.kill(this.child.pid!, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.stderr!.resume();
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGKILL");
    await this.exited;
  }
}

const FIXTURES = fileURLToPath(new URL("../fixtures/", import.meta.url));

/** The words that run a fixture. */
export function fixtureCommand(name: string, deno = false): readonly [string, ...string[]] {
  const path = join(FIXTURES, name);
  return deno ? [denoPath(), "run", "-A", path] : [process.execPath, path];
}

/** Starts a fixture. */
export function startFixture(name: string, words: readonly string[], options: ProgramOptions = {}): Program {
  const [command, ...first] = fixtureCommand(name, options.deno);
  return new Program(command, [...first, ...words], options);
}

/** The program itself: the script of its package would stand between the plugin and its parent. */
function denoPath(): string {
  return join(dirname(createRequire(import.meta.url).resolve("deno/package.json")), "deno");
}
