import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError, ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { Reporter } from "./output/reporter.ts";
import { runProgram } from "./run-program.ts";

/** How long the last output of an interrupted program may take. */
const LAST_WORDS_MS = 1_000;
/** A signal that comes sooner after the first is the same wish: a terminal and a wrapper may both pass it on. */
const INSIST_MS = 500;

/** Runs the program as this process, and ends it. `home`: the user's, absolute. */
export async function main(home: string | undefined): Promise<never> {
  // Whoever reads our output may stop early (head, less): that is no failure of ours.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // Somebody else hears of it, too, and goes on.
      if (stream.listenerCount("error") > 1) return;
      if (error.code === "EPIPE") process.exit(ExitCode.Ok);
      throw error;
    });
  }
  const interrupted = new AbortController();
  let interruptedAt = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      // The first asks for an orderly end, the second insists; but a terminal that closes, or a service manager, may send SIGHUP
      // along with another one.
      if (!interrupted.signal.aborted) {
        interruptedAt = performance.now();
        interrupted.abort(signal);
      } else if (signal !== "SIGHUP" && performance.now() - interruptedAt >= INSIST_MS) {
        process.exit(ExitCode.Interrupted);
      }
    });
  }
  const io: Io = {
    args: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    home: home ?? "",
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: interrupted.signal,
  };
  const code = home === undefined ? refuseHomeless(io) : await runProgram(io);
  const flushed = Promise.all([flush(process.stdout), flush(process.stderr)]);
  // Whoever was told to end does not wait for a reader that reads no more.
  await (interrupted.signal.aborted ? Promise.race([flushed, sleep(LAST_WORDS_MS)]) : flushed);
  process.exit(code);
}

/** Certificates and what hubs keep have their place in the home directory. */
function refuseHomeless(io: Io): ExitCode {
  const message = "There is no home directory: HOME names none, and the system knows none for this user";
  const error = new CliError(ExitCode.Failure, message, { hint: "Set HOME to a directory of this user" });
  return new Reporter(io, { json: io.args.includes("--json") }).failure(error);
}

/** A pipe takes output later than we write it; an exit before that would cut it off. */
function flush(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) resolve();
    else stream.write("", () => resolve());
  });
}
