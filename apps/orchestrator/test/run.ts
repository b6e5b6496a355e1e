import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { onTestFinished } from "vitest";
import { runProgram } from "../src/run-program.ts";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever a command printed
  readonly json: () => any;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly home?: string;
  readonly env?: Record<string, string>;
  readonly input?: string;
  readonly isTTY?: boolean;
  /** Of the terminal; 100 if not said. */
  readonly columns?: number;
  readonly signal?: AbortSignal;
}

/** Runs a command in this process, as the program would. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const texts = { stdout: "", stderr: "" };
  const sink = (name: "stdout" | "stderr") => {
    const stream = Object.assign(new PassThrough(), { isTTY: options.isTTY ?? false, columns: options.columns ?? 100 });
    stream.on("data", (chunk: Buffer) => {
      texts[name] += chunk.toString();
    });
    return stream;
  };
  const stdin = new PassThrough();
  stdin.end(options.input ?? "");
  const directory = options.cwd ?? process.cwd();
  const code = await runProgram({
    args,
    env: options.env ?? {},
    cwd: directory,
    home: options.home ?? directory,
    stdin,
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    signal: options.signal ?? new AbortController().signal,
  });
  // What was written is read with the next turn of the loop.
  await new Promise((resolve) => setImmediate(resolve));
  return { code, ...texts, json: () => JSON.parse(texts.stdout) };
}

/** A directory that is gone after the test. */
export function tempDirectory(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "orchestrator-")));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
