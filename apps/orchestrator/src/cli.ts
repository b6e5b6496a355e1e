import { Command, CommanderError, Option } from "commander";
import { CliError, ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { Reporter } from "./output/reporter.ts";
import { createStyle, wantsColor } from "./output/style.ts";
import { programVersion } from "./program-path.ts";

/** What a command's work gets. */
export interface Run<Options> {
  readonly io: Io;
  readonly report: Reporter;
  readonly options: Options;
  /** Positional arguments; a variadic one is an array in its place. */
  readonly args: readonly (string | readonly string[] | undefined)[];
}

export interface CommonOptions {
  readonly json?: boolean;
  readonly workspace?: string;
}

/** Adds one command to the program. */
export type AddCommand = (cli: Cli) => void;

/** The command line: a tree of commands, and the exit code of the one that ran. */
export class Cli {
  readonly io: Io;
  readonly program: Command;
  exitCode: number = ExitCode.Ok;

  constructor(io: Io) {
    this.io = io;
    const out = createStyle(wantsColor(io.env, io.stdout.isTTY));
    const err = createStyle(wantsColor(io.env, io.stderr.isTTY));
    this.program = new Command("orchestrator")
      .description(
        "One hub that runs plugins in any language, keeps them alive and apart, and routes every call between them.",
      )
      .version(programVersion(), "-V, --version", "print the version")
      .helpOption("-h, --help", "show help")
      .helpCommand("help [command]", "show help for a command")
      .showSuggestionAfterError(true)
      .showHelpAfterError("Try: orchestrator --help")
      .exitOverride()
      .configureOutput({
        writeOut: (text) => io.stdout.write(text),
        writeErr: (text) => io.stderr.write(text),
        outputError: (text, write) => write(text.replace(/^error:/, err.red("error:"))),
        getOutHelpWidth: () => Math.min(io.stdout.columns || 100, 120),
        getErrHelpWidth: () => Math.min(io.stderr.columns || 100, 120),
        getOutHasColors: () => wantsColor(io.env, io.stdout.isTTY),
        getErrHasColors: () => wantsColor(io.env, io.stderr.isTTY),
      })
      .configureHelp({
        styleTitle: out.bold,
        styleCommandText: out.cyan,
        styleOptionText: out.cyan,
        sortSubcommands: false,
      });
  }

  /** A new command with the options that all of them have. `examples`: command line → what it does. */
  command(nameAndArguments: string, description: string, examples: Readonly<Record<string, string>> = {}): Command {
    const command = this.program
      .command(nameAndArguments)
      .description(description)
      .addOption(new Option("--json", "print the result as JSON"));
    command.showHelpAfterError(`Try: orchestrator ${command.name()} --help`);
    const lines = Object.entries(examples);
    if (lines.length > 0) command.addHelpText("after", examplesText(lines));
    return command;
  }

  /** The action of a command: reports what it throws, and keeps the exit code. */
  action<Options>(work: (run: Run<Options>) => Promise<ExitCode | undefined> | ExitCode | undefined) {
    return async (...received: unknown[]): Promise<void> => {
      const command = received.at(-1) as Command;
      const options = command.opts() as Options & CommonOptions;
      const report = new Reporter(this.io, options);
      try {
        const args = received.slice(0, -2) as Run<Options>["args"];
        this.exitCode = (await work({ io: this.io, report, options, args })) ?? ExitCode.Ok;
      } catch (error) {
        this.exitCode = report.failure(error);
      }
    };
  }

  /** Runs the command that the arguments name. @returns the exit code */
  async run(): Promise<number> {
    try {
      await this.program.parseAsync([...this.io.args], { from: "user" });
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      // Help and version "fail" with code 0; every other complaint is about the command line.
      this.exitCode = error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage;
      // Commander has told it on stderr. Options may not have been read yet, so the words themselves say who is listening.
      if (this.exitCode === ExitCode.Usage && wantsJson(this.io.args)) {
        new Reporter(this.io, { json: true }).failure(usage(error.message.replace(/^error: /, "")));
      }
    }
    return this.exitCode;
  }
}

/** Whether `--json` asks for JSON output: behind `call` it does not where a value follows, for that is the tool's arguments. */
function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  const options = end < 0 ? words : words.slice(0, end);
  return options.some((word, i) => {
    return word === "--json" && (words[0] !== "call" || (words[i + 1] ?? "-").startsWith("-"));
  });
}

/** Command lines with what they do behind them, or above where a line would get too long. */
function examplesText(lines: readonly (readonly [line: string, what: string])[]): string {
  const longest = Math.max(...lines.map(([line]) => line.length));
  const isWide = lines.some(([, what]) => longest + what.length > 100);
  const text = lines.map(([line, what]) => {
    if (what === "") return `  $ ${line}`;
    return isWide ? `  # ${what}\n  $ ${line}` : `  $ ${line.padEnd(longest)}  # ${what}`;
  });
  return `\nExamples:\n${text.join("\n")}`;
}

/** A usage error found after parsing. */
export function usage(message: string, hint?: string): CliError {
  return new CliError(ExitCode.Usage, message, hint === undefined ? {} : { hint });
}
