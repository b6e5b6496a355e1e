import { ErrorCode, HubError } from "@orchestrator/protocol";
import { CliError, ExitCode, exitCodeOf } from "../exit-code.ts";
import type { Io } from "../io.ts";
import { createStyle, type Style, wantsColor } from "./style.ts";
import { printable } from "./text.ts";

/** How one command speaks: results on stdout (for people, or as JSON), everything else on stderr. */
export class Reporter {
  readonly json: boolean;
  /** For stdout. */
  readonly style: Style;
  /** For stderr. */
  readonly errStyle: Style;
  readonly #io: Io;

  constructor(io: Io, options: { readonly json?: boolean | undefined }) {
    this.#io = io;
    this.json = options.json ?? false;
    this.style = createStyle(!this.json && wantsColor(io.env, io.stdout.isTTY));
    this.errStyle = createStyle(wantsColor(io.env, io.stderr.isTTY));
  }

  /** Columns of the terminal on stdout; undefined where it is none or does not know (0): output for programs is never cut. */
  get columns(): number | undefined {
    return this.#io.stdout.isTTY ? this.#io.stdout.columns || undefined : undefined;
  }

  /** The outcome: `value` as JSON, or the lines of `render`. */
  result(value: unknown, render: (style: Style) => string | readonly string[]): void {
    const text = this.json ? JSON.stringify(value, null, 2) : render(this.style);
    this.print(typeof text === "string" ? text : text.join("\n"));
  }

  /** A line on stdout. */
  print(line: string): void {
    this.#io.stdout.write(`${line}\n`);
  }

  /** A line on stderr: progress, remarks. */
  note(line: string): void {
    this.#io.stderr.write(`${line}\n`);
  }

  warn(line: string): void {
    this.note(`${this.errStyle.yellow("warning:")} ${printable(line)}`);
  }

  /** Reports what a command threw. @returns the exit code that belongs to it */
  failure(error: unknown): ExitCode {
    if (this.#io.signal.aborted) {
      const exitCode = ExitCode.Interrupted;
      const message = "It was interrupted";
      if (this.json) this.print(JSON.stringify({ error: { code: ErrorCode.Cancelled, message, exitCode } }, null, 2));
      return exitCode;
    }
    const exitCode = exitCodeOf(error);
    const message = error instanceof Error ? error.message : String(error);
    const hint = error instanceof CliError ? error.hint : undefined;
    if (this.json) {
      const code = error instanceof CliError || error instanceof HubError ? error.code : "INTERNAL";
      const details = error instanceof CliError && error.cause !== undefined ? detailsOf(error.cause) : {};
      this.print(
        JSON.stringify(
          { error: { code, message, exitCode, ...(hint === undefined ? {} : { hint }), ...details } },
          null,
          2,
        ),
      );
      return exitCode;
    }
    this.note(`${this.errStyle.red("error:")} ${printable(message, { multiline: true })}`);
    if (hint !== undefined) this.note(`${this.errStyle.cyan("hint:")} ${printable(hint, { multiline: true })}`);
    // What nobody foresaw needs its stack to be mended.
    if (
      !(error instanceof CliError || error instanceof HubError) &&
      error instanceof Error &&
      error.stack !== undefined
    ) {
      this.note(this.errStyle.dim(printable(error.stack.split("\n").slice(1, 6).join("\n"), { multiline: true })));
    }
    return exitCode;
  }
}

/** What a hint cannot say: structured data that a failure carries for programs. */
function detailsOf(cause: unknown): object {
  return typeof cause === "object" && cause !== null && "details" in cause ? { details: cause.details } : {};
}
