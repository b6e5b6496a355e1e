import { readFileSync } from "node:fs";
import { STATUS_CODES } from "node:http";
import { resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import { httpStatusOf, type MatchedPath, matchRoute } from "@orchestrator/hub";
import { ErrorCode, type HttpHeader, type HttpResponse, HubError, type PluginStatus } from "@orchestrator/protocol";
import { type AddCommand, usage } from "../cli.ts";
import { parseDuration } from "../duration.ts";
import { CliError, ExitCode, exitCodeOf } from "../exit-code.ts";
import type { HubClient } from "../hub/hub-client.ts";
import type { Io } from "../io.ts";
import type { Reporter } from "../output/reporter.ts";
import { printable } from "../output/text.ts";
import { collect } from "./call-arguments.ts";
import { addHubOption, type HubOptions, withHub } from "./with-hub.ts";

interface Options extends HubOptions {
  readonly header?: readonly string[];
  readonly data?: string;
  readonly include?: true;
  readonly timeout?: number;
}

export const addHttp: AddCommand = (cli) => {
  const command = cli
    .command("http", "Send an HTTP request to a plugin of the running hub", {
      "orchestrator http GET /hello": "",
      "orchestrator http POST /hello/items?x=1 --data '{\"a\": 1}'": "as JSON, since it is",
      "orchestrator http PUT /hello/file --data @notes.txt --header 'content-type: text/plain'": "a file",
      "orchestrator http GET /hello -i": "with status and headers",
    })
    .argument("<method>", "GET, POST …")
    .argument("<path>", "a plugin's route and what follows it; see orchestrator plugins --json")
    .option("-H, --header <name:value>", "one header line", collect)
    .option("-d, --data <text>", "the body; @file reads a file, - standard input")
    .option("-i, --include", "print status and headers before the body")
    .option("--timeout <time>", "longest time to wait, for example 30s", parseDuration)
    .addHelpText(
      "after",
      `
The exit code is 4 when the plugin answers with a status of 400 or more, 3 when nothing serves the path or no hub runs.`,
    );
  addHubOption(command).action(
    cli.action<Options>(async ({ io, report, options, args }) => {
      const method = (args[0] as string).toUpperCase();
      if (!/^[A-Z][A-Z-]{0,31}$/.test(method)) throw usage(`"${args[0]}" is no HTTP method`);
      if (!(args[1] as string).startsWith("/")) throw usage(`The path "${args[1]}" does not start with "/"`);
      const body = await readBody(io, options.data);
      const headers = withType((options.header ?? []).map(parseHeader), body);
      const path = encoded(args[1] as string);
      const response = await withHub(io, options, (hub) =>
        send(hub, { method, path, headers, body, timeoutMs: options.timeout ?? 0, signal: io.signal }),
      );
      print(response, { io, report, includes: options.include === true });
      return response.status >= 400 ? ExitCode.ToolFailed : ExitCode.Ok;
    }),
  );
};

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: HttpHeader[];
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** @throws {CliError} with the status that an HTTP client would see, where the plugin gave no answer of its own */
async function send(hub: HubClient, { path: whole, signal, timeoutMs, ...request }: Sent): Promise<HttpResponse> {
  try {
    const { plugins } = await hub.control({ $case: "plugins", value: {} }, "plugins", { signal });
    const { route, path } = findRoute(plugins, whole);
    return await hub.ask({ $case: "http", value: { ...request, route, path } }, "http", { signal, timeoutMs });
  } catch (reason) {
    if (!(reason instanceof HubError)) throw reason;
    const { code, message } = reason;
    const status = httpStatusOf(code);
    // "Unavailable" would be the hub itself otherwise.
    const exitCode = code === ErrorCode.Unavailable ? ExitCode.Failure : exitCodeOf(reason);
    const name = STATUS_CODES[status] ?? "";
    throw new CliError(exitCode, `${status}${name === "" ? "" : ` ${name}`} (${code}): ${message}`, {
      code,
      cause: { details: { status } },
    });
  }
}

/** @throws {HubError} `NOT_FOUND` where nobody has the route, or one who is switched off */
function findRoute(plugins: readonly PluginStatus[], whole: string): MatchedPath {
  const matched = matchRoute(
    plugins.flatMap(({ routes }) => routes),
    whole,
  );
  if (matched === undefined) {
    const known = plugins.flatMap(({ routes }) => routes).sort();
    const there = known.length === 0 ? "No plugin has any" : `There are: ${known.join(", ")}`;
    throw new HubError(ErrorCode.NotFound, `No plugin has a route for "${whole}". ${there}`);
  }
  const owners = plugins.filter(({ routes }) => routes.includes(matched.route));
  if (owners.some(({ enabled }) => enabled)) return matched;
  throw new HubError(ErrorCode.NotFound, `Plugin "${owners[0]?.id}" has the route "${matched.route}", but is disabled`);
}

function parseHeader(line: string): HttpHeader {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line);
  if (match === null) throw usage(`Cannot read --header ${JSON.stringify(line)}`, "Write --header 'name: value'");
  return { name: match[1]!.toLowerCase(), value: match[2]!.trimEnd() };
}

async function readBody(io: Io, data: string | undefined): Promise<Uint8Array> {
  if (data === undefined) return new Uint8Array();
  if (data === "-") return await buffer(io.stdin);
  if (!data.startsWith("@")) return Buffer.from(data);
  const file = data.slice(1);
  try {
    return readFileSync(resolve(io.cwd, file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw usage(`Cannot read "${file}": ${code === "ENOENT" ? "there is no such file" : code}`);
  }
}

/** A body has a type, and mostly it can be seen. */
function withType(headers: HttpHeader[], body: Uint8Array): HttpHeader[] {
  if (body.length === 0 || headers.some(({ name }) => name === "content-type")) return headers;
  return [...headers, { name: "content-type", value: typeOf(body) }];
}

function typeOf(body: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return "application/octet-stream";
  }
  try {
    JSON.parse(text);
    return "application/json";
  } catch {
    return "text/plain; charset=utf-8";
  }
}

/** What cannot stand in a path as it is, is escaped; what is escaped already stays. */
function encoded(path: string): string {
  return path.toWellFormed().replace(/[^\x21-\x7e]+/g, encodeURIComponent);
}

interface Printer {
  readonly io: Io;
  readonly report: Reporter;
  readonly includes: boolean;
}

function print({ status, headers, body }: HttpResponse, { io, report, includes }: Printer): void {
  const bytes = Buffer.from(body);
  if (report.json) {
    const text = bytes.toString();
    const isText = Buffer.from(text).equals(bytes);
    const lines = headers.map(({ name, value }) => ({ name, value }));
    report.result(
      { status, headers: lines, ...(isText ? { body: text } : { bodyBase64: bytes.toString("base64") }) },
      () => "",
    );
    return;
  }
  if (includes) {
    report.print(report.style.bold(`${status} ${STATUS_CODES[status] ?? ""}`.trimEnd()));
    for (const { name, value } of headers) report.print(`${report.style.cyan(name)}: ${printable(value)}`);
    report.print("");
  }
  // A terminal gets no bytes that could command it; a file or a pipe gets what the plugin sent.
  if (io.stdout.isTTY !== true) io.stdout.write(bytes);
  else if (bytes.length > 0) report.print(printable(bytes.toString(), { multiline: true }).trimEnd());
}
