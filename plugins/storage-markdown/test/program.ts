import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A fixture program that runs; killed when the test ends. */
export class Program implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly lines: string[] = [];
  readonly #ended: Promise<unknown>;
  #waiting: (() => void) | undefined;

  /** @param fixture name in `test/fixtures` */
  constructor(fixture: string, ...args: string[]) {
    const file = fileURLToPath(new URL(`fixtures/${fixture}`, import.meta.url));
    this.process = spawn(process.execPath, [file, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: this.process.stdout as NodeJS.ReadableStream });
    lines.on("line", (line) => {
      this.lines.push(line);
      this.#waiting?.();
    });
    this.#ended = Promise.all([once(this.process, "exit"), once(lines, "close")]);
  }

  /** Resolves once that many lines have come, or rejects when the program ends before. */
  async printed(count: number): Promise<void> {
    const enough = new Promise<void>((resolve) => {
      this.#waiting = () => this.lines.length >= count && resolve();
      this.#waiting();
    });
    const ended = this.#ended.then(() => {
      if (this.lines.length < count) throw new Error(`ended after ${this.lines.length} lines`);
    });
    await Promise.race([enough, ended]);
  }

  /** @returns the exit code, once all output has been read */
  async exited(): Promise<number | null> {
    await this.#ended;
    return this.process.exitCode;
  }

  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
