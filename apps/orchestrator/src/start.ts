import type { Writable } from "node:stream";
import { CliError, ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { Reporter } from "./output/reporter.ts";
import { runProgram } from "./run-program.ts";

/** Runs the program as this process, and ends it. `home`: the user's, absolute. */
export async function main(home: string | undefined): Promise<never> {
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
  await Promise.all([flush(process.stdout), flush(process.stderr)]);
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
