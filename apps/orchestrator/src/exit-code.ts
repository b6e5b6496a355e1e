import { ErrorCode, HubError } from "@orchestrator/protocol";

/** What the program's exit code says. Part of its interface: scripts branch on it. */
export const ExitCode = {
  Ok: 0,
  /** Something failed; the message says what. */
  Failure: 1,
  /** The command line was wrong: nothing was done. */
  Usage: 2,
  /** What was asked for does not exist, or no hub is running. */
  NotFound: 3,
  /** The hub and the plugin did their part; the tool itself reported a failure. */
  ToolFailed: 4,
  /** Ended by an interrupt: 128 + SIGINT. */
  Interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** A failure of a command that is meant for the person who typed it. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;
  /** What to try next; one sentence or a command line. */
  readonly hint: string | undefined;
  /** For programs: an ErrorCode, or a tool's own code. */
  readonly code: string;

  constructor(exitCode: ExitCode, message: string, options: ErrorOptions & { hint?: string; code?: string } = {}) {
    super(message, options);
    this.exitCode = exitCode;
    this.hint = options.hint;
    this.code = options.code ?? CODES[exitCode] ?? ErrorCode.Internal;
  }
}

const CODES: Readonly<Partial<Record<ExitCode, string>>> = {
  [ExitCode.Usage]: ErrorCode.InvalidArgument,
  [ExitCode.NotFound]: ErrorCode.NotFound,
};

/** The exit code for anything that a command threw. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exitCode;
  if (!(error instanceof HubError)) return ExitCode.Failure;
  switch (error.code) {
    case ErrorCode.NotFound:
    case ErrorCode.Unavailable:
      return ExitCode.NotFound;
    default:
      return ExitCode.Failure;
  }
}
