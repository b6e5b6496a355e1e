import { homedir } from "node:os";
import type { Writable } from "node:stream";
import { ExitCode } from "./exit-code.ts";
import { runProgram } from "./run-program.ts";

/** Runs the program as this process, and ends it. */
export async function main(): Promise<never> {
  // Whoever reads our output may stop early (head, less): that is no failure of ours.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(ExitCode.Ok);
      throw error;
    });
  }
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // The first asks for an orderly end, the second insists.
      if (interrupted.signal.aborted) process.exit(ExitCode.Interrupted);
      interrupted.abort(signal);
    });
  }
  const code = await runProgram({
    args: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: interrupted.signal,
  });
  await Promise.all([flush(process.stdout), flush(process.stderr)]);
  process.exit(code);
}

/** A pipe takes output later than we write it; an exit before that would cut it off. */
function flush(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) resolve();
    else stream.write("", () => resolve());
  });
}
