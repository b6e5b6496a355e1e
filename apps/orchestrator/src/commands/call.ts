import { Option } from "commander";
import { type AddCommand, usage } from "../cli.ts";
import { parseDuration } from "../duration.ts";
import { CliError, ExitCode } from "../exit-code.ts";
import { callTool, type ToolFailed } from "../hub/call-tool.ts";
import type { HubClient } from "../hub/hub-client.ts";
import type { Io } from "../io.ts";
import { Reporter } from "../output/reporter.ts";
import { plural, printable } from "../output/text.ts";
import { type Arguments, collect, parseObject, parsePairs, readInput, typedArguments } from "./call-arguments.ts";
import { notFound } from "./tools.ts";
import { addHubOption, type HubOptions, withHub } from "./with-hub.ts";

interface Options extends HubOptions {
  readonly arg?: readonly string[];
  /** `true`: print JSON; a text: the arguments. */
  readonly json?: true | string;
  readonly input?: string;
  readonly output?: "text" | "json";
  readonly timeout?: number;
  readonly provider?: string;
  readonly session?: string;
}

export const addCall: AddCommand = (cli) => {
  const command = cli.program
    .command("call")
    .description("Call a tool of the running hub and print its result")
    .argument("<tool>", "name of the tool; see orchestrator tools")
    .option(
      "-a, --arg <key=value>",
      "one argument, in the type that the tool's schema gives it; key:=JSON for any value",
      collect,
    )
    .option("--json [arguments]", "with a value: all arguments, as a JSON object; without: print the result as JSON")
    .option("-i, --input <file>", "all arguments, as a JSON object in a file; - is stdin")
    .addOption(new Option("-o, --output <form>", "how to print the result").choices(["text", "json"]))
    .option("--timeout <time>", "longest time to wait, for example 30s", parseDuration)
    .option("--provider <name>", "AI provider to use, for tools that several providers offer")
    .option("--session <id>", "session that the call belongs to")
    .showHelpAfterError("Try: orchestrator call --help")
    .addHelpText(
      "after",
      `
Examples:
  $ orchestrator call create_project --arg name="My App"
  $ orchestrator call list_features --arg project_id=my-app --json
  $ orchestrator call create_feature --json '{"project_id": "my-app", "title": "Login"}' --output json
  $ echo '{"project_id": "my-app"}' | orchestrator call get_progress --input -

The exit code is 4 when the tool reports a failure, 3 when there is no such tool or no hub.`,
    );
  addHubOption(command).action(
    cli.action<Options>(async ({ io, options, args }) => {
      const report = new Reporter(io, { json: options.output === "json" || options.json === true });
      const name = args[0] as string;
      try {
        const given = await givenArguments(io, options);
        return await withHub(io, options, (hub) => call(hub, { name, given, options, io, report }));
      } catch (error) {
        return report.failure(error);
      }
    }),
  );
};

/** The arguments that are there as a whole; `undefined` where `--arg` gives them one by one. */
async function givenArguments(io: Io, options: Options): Promise<Arguments | undefined> {
  const asJson = typeof options.json === "string";
  const ways = [asJson, options.input !== undefined, options.arg !== undefined].filter(Boolean).length;
  if (ways > 1) throw usage("Give the arguments in one way: --arg, --json JSON or --input");
  if (asJson) return parseObject(options.json as string, `--json ${JSON.stringify(options.json)}`);
  return options.input === undefined ? undefined : readInput(io, options.input);
}

interface Call {
  readonly name: string;
  readonly given: Arguments | undefined;
  readonly options: Options;
  readonly io: Io;
  readonly report: Reporter;
}

async function call(hub: HubClient, { name, given, options, io, report }: Call): Promise<ExitCode> {
  const { signal } = io;
  const { tools } = await hub.ask({ $case: "listTools", value: {} }, "listTools", { signal });
  const tool = tools.find((one) => one.name === name) ?? notFound(name, tools);
  const started = performance.now();
  const onProgress = (done: number, total: number, message: string): void => {
    const share = total > 0 ? `${Math.round((done / total) * 100)} %` : String(done);
    report.note(`${report.errStyle.dim(share)} ${printable(message)}`);
  };
  const pieces: string[] = [];
  const outcome = await callTool(hub, tool, {
    arguments: given ?? typedArguments(parsePairs(options.arg ?? []), tool),
    timeoutMs: options.timeout ?? 0,
    provider: options.provider ?? "",
    sessionId: options.session ?? "",
    signal,
    ...(report.json ? {} : { onProgress }),
    onChunk: (text) => (report.json ? pieces.push(text) : io.stdout.write(text)),
  });
  if ("failure" in outcome) return failed(name, outcome.failure, report);
  const { result } = outcome;
  if (tool.streaming) {
    if (report.json) report.result({ chunks: pieces }, () => "");
    else if (io.stderr.isTTY)
      report.note(`${plural(outcome.chunks, "piece")} in ${Math.round(performance.now() - started)} ms`);
    return ExitCode.Ok;
  }
  report.result(result, () => resultText(result));
  return ExitCode.Ok;
}

/** What MCP clients show is `text`; a result without it is shown as it is. */
function resultText(result: Arguments): string {
  const { text } = result;
  return typeof text === "string" ? printable(text, { multiline: true }) : JSON.stringify(result, null, 2);
}

function failed(name: string, failure: ToolFailed, report: Reporter): ExitCode {
  const { code, message } = failure;
  return report.failure(new CliError(ExitCode.ToolFailed, `Tool "${name}" failed (${code}): ${message}`, { code }));
}
