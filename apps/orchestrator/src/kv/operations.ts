import { ErrorCode, HubError, type KvEntry, type KvRequest, type KvResponse } from "@orchestrator/protocol";
import type { Run } from "../cli.ts";
import type { KvOptions } from "../commands/kv.ts";
import { CliError, ExitCode } from "../exit-code.ts";
import { followToEnd } from "../hub/follow-to-end.ts";
import type { HubClient } from "../hub/hub-client.ts";
import type { Io } from "../io.ts";
import { plural, printable, table } from "../output/text.ts";
import { chooseNamespace } from "./namespace.ts";
import { changeLine, entryJson, entryRow } from "./render.ts";

export interface KvRun extends Run<KvOptions> {
  readonly hub: HubClient;
  /** A prefix for list and watch. */
  readonly key: string;
  readonly value: string | undefined;
}

/** The largest value that the hub takes; more is not read from stdin. */
const MAX_VALUE_BYTES = 1_024 * 1_024;

type Operation = NonNullable<KvRequest["operation"]>;

async function ask({ hub, io, options, report }: KvRun, operation: Operation): Promise<KvResponse> {
  // To write into a namespace, or to find it empty, is where a slip of the pen would go unseen.
  let warning = "";
  const namespace = await chooseNamespace(hub, options.namespace, (text) => {
    warning = text;
  });
  const answer = await hub.ask({ $case: "kv", value: { namespace, operation } }, "kv", { signal: io.signal });
  const isSuspicious = operation.$case === "set" || (operation.$case === "list" && answer.entries.length === 0);
  if (warning !== "" && isSuspicious) report.warn(warning);
  return answer;
}

/** Prints the value byte for byte, so that it can go into a file; only a terminal gets a line break after it. */
export async function getEntry(run: KvRun): Promise<ExitCode> {
  const { io, key, report } = run;
  const { entry } = await ask(run, { $case: "get", value: { key } });
  if (entry === undefined) throw notThere(run);
  if (report.json) report.result(entryJson(entry), () => "");
  else if (io.stdout.isTTY) report.print(printable(Buffer.from(entry.value).toString("utf8"), { multiline: true }));
  else io.stdout.write(entry.value);
  return ExitCode.Ok;
}

export async function setEntry(run: KvRun): Promise<ExitCode> {
  const { key, options, report } = run;
  const value = run.value === undefined || run.value === "-" ? await readInput(run.io) : Buffer.from(run.value);
  const expected = options.ifAbsent ? { version: 0 } : condition(options);
  const { entry } = await ask(run, { $case: "set", value: { key, value, ttlMs: options.ttl ?? 0, expected } });
  const { version = 0, expiresAtMs = 0 } = entry ?? {};
  const until = expiresAtMs === 0 ? "" : `, until ${new Date(expiresAtMs).toISOString()}`;
  report.result(entryJson(entry!, false), (style) => `${style.bold(printable(key))} version ${version}${until}`);
  return ExitCode.Ok;
}

export async function deleteEntry(run: KvRun): Promise<ExitCode> {
  const { key, options, report } = run;
  const { entry } = await ask(run, { $case: "delete", value: { key, expected: condition(options) } });
  if (entry === undefined) throw notThere(run);
  report.result(entryJson(entry, false), (style) => `${style.bold(printable(key))} removed`);
  return ExitCode.Ok;
}

export async function listEntries(run: KvRun): Promise<ExitCode> {
  const { key: prefix, options, report } = run;
  const entries: KvEntry[] = [];
  const most = options.limit ?? Number.POSITIVE_INFINITY;
  let startKey = options.start ?? "";
  do {
    const limit = Math.min(1_000, most - entries.length);
    const value = { prefix, startKey, limit, keysOnly: options.keysOnly ?? false };
    const page = await ask(run, { $case: "list", value });
    entries.push(...page.entries);
    startKey = page.nextKey;
  } while (startKey !== "" && entries.length < most);
  const value = { entries: entries.map((entry) => entryJson(entry, !options.keysOnly)), nextKey: startKey };
  report.result(value, (style) => {
    if (entries.length === 0) return [`No entries${prefix === "" ? "" : ` that begin with "${printable(prefix)}"`}.`];
    const rows = entries.map((entry) => entryRow(entry, style, !options.keysOnly));
    const more = startKey === "" ? [] : ["", style.dim(`More from "${printable(startKey)}" on: --start`)];
    return [...table(rows, { columns: report.columns }), ...more];
  });
  return ExitCode.Ok;
}

/** Ends with an interrupt, or with the hub. */
export async function watchEntries(run: KvRun): Promise<ExitCode> {
  const { hub, io, key: prefix, options, report } = run;
  const namespace = await chooseNamespace(hub, options.namespace);
  const operation = { $case: "watch", value: { prefix, existing: options.existing ?? false } } as const;
  const show = async (): Promise<void> => {
    for await (const answer of hub.answers({ $case: "kv", value: { namespace, operation } }, "kv", io.signal)) {
      const line = changeLine(answer, report);
      if (line !== undefined) report.print(line);
    }
  };
  // What the hub refuses is no end of it.
  await followToEnd(hub, run, show, (error) => !(error instanceof HubError) || error.code === ErrorCode.Unavailable);
  return ExitCode.Ok;
}

function condition({ ifVersion }: KvOptions): { version: number } | undefined {
  return ifVersion === undefined ? undefined : { version: ifVersion };
}

function notThere({ key, options }: KvRun): CliError {
  return new CliError(ExitCode.NotFound, `There is no entry "${key}"`, {
    hint: `See what there is: orchestrator kv list --namespace ${options.namespace ?? "ID"}`,
  });
}

async function readInput({ stdin }: Io): Promise<Buffer> {
  if (stdin.isTTY) throw new CliError(ExitCode.Usage, "Give a value, or pipe it in");
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const buffer = Buffer.from(chunk);
    chunks.push(buffer);
    bytes += buffer.length;
    if (bytes > MAX_VALUE_BYTES) {
      throw new CliError(ExitCode.Usage, `A value may have up to ${plural(MAX_VALUE_BYTES, "byte")}`);
    }
  }
  return Buffer.concat(chunks);
}
