import { ErrorCode, HubError } from "@orchestrator/protocol";
import { describeExit } from "@orchestrator/supervisor";
import { type Captured, type CaptureSpec, capture } from "../capture.ts";

export type AskOptions = Omit<CaptureSpec, "command"> & { readonly signal?: AbortSignal };

/**
 * Runs a program that prints one thing and ends. It and whatever it starts are one process group, which is killed as a whole at
 * the end, in any case.
 * @returns its stdout
 * @throws {HubError} `START_FAILED`: it cannot be run, exits with another code than 0, takes too long, prints too much, or
 * something that is not UTF-8
 */
export async function askProgram(command: readonly [string, ...string[]], options: AskOptions): Promise<string> {
  const never = new AbortController().signal;
  const captured = await capture({ ...options, command }, options.signal ?? never);
  if (captured.end === "exited" && captured.status.code === 0) {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(captured.stdout);
    } catch {
      throw failure("It printed bytes that are not UTF-8", captured);
    }
  }
  throw failure(whatWentWrong(captured, command[0], options), captured);
}

function whatWentWrong(captured: Captured, program: string, { timeoutMs, maxBytes }: AskOptions): string {
  switch (captured.end) {
    case "exited":
      return `It ${describeExit(captured.status)}`;
    case "late":
      return `It gave no answer within ${timeoutMs} ms`;
    case "too-long":
      return `It printed more than ${maxBytes} bytes`;
    case "error": {
      const { code, message } = captured.error;
      const hint = code === "EACCES" ? `. Try: chmod +x "${program}"` : "";
      return `It cannot be run (${code ?? message})${hint}`;
    }
  }
}

function failure(what: string, captured: Captured): HubError {
  if (captured.end === "error") return new HubError(ErrorCode.StartFailed, what, { cause: captured.error });
  const last = captured.stderr.trim().split("\n").at(-1) ?? "";
  return new HubError(ErrorCode.StartFailed, last === "" ? what : `${what}; it said: ${last}`);
}
