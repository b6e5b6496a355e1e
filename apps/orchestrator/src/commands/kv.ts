import { Argument, InvalidArgumentError } from "commander";
import { type AddCommand, type Run, usage } from "../cli.ts";
import { countUpTo } from "../count.ts";
import { parseLongDuration } from "../duration.ts";
import type { ExitCode } from "../exit-code.ts";
import { deleteEntry, getEntry, listEntries, setEntry, watchEntries } from "../kv/operations.ts";
import { addHubOption, type HubOptions, withHub } from "./with-hub.ts";

const ACTIONS = ["get", "set", "delete", "list", "watch"] as const;
type Action = (typeof ACTIONS)[number];

export interface KvOptions extends HubOptions {
  readonly namespace?: string;
  readonly json?: boolean;
  readonly ttl?: number;
  readonly ifVersion?: number;
  readonly ifAbsent?: boolean;
  readonly limit?: number;
  readonly start?: string;
  readonly keysOnly?: boolean;
  readonly existing?: boolean;
}

/** Which options belong to which action: one in the wrong place is a mistake, not to be passed over. */
const OPTIONS: Readonly<Record<string, readonly Action[]>> = {
  ttl: ["set"],
  ifAbsent: ["set"],
  ifVersion: ["set", "delete"],
  limit: ["list"],
  start: ["list"],
  keysOnly: ["list"],
  existing: ["watch"],
};

export const addKv: AddCommand = (cli) => {
  const command = cli.command("kv", "Read and change the entries that plugins keep at the hub", {
    "orchestrator kv list --namespace tools.dice": "what a plugin keeps",
    "orchestrator kv get cursor --namespace tools.dice": "one value, as it is",
    "orchestrator kv set mode fast --namespace tools.dice --ttl 5m": "write, for five minutes",
    "orchestrator kv set logo --namespace tools.dice < logo.png": "the value from stdin",
    "orchestrator kv set lock me --namespace tools.dice --if-absent": "only where there is none: exit code 1 otherwise",
    "orchestrator kv watch settings/ --namespace tools.dice --existing": "what is there, then changes",
  });
  command
    .addArgument(new Argument("<action>", "what to do").choices(ACTIONS))
    .argument("[key]", "the key; for list and watch a prefix")
    .argument("[value]", "for set; - or nothing is stdin")
    .option("-n, --namespace <id>", "id of the plugin whose entries are meant")
    .option("--ttl <time>", "set: gone after this time, for example 5m or 7d", parseLongDuration)
    .option("--if-absent", "set: only where there is no entry")
    .option("--if-version <version>", "set, delete: only where the entry has this version", version)
    .option("--limit <count>", "list: at most this many (default: all)", countUpTo())
    .option("--start <key>", "list: only from this key on")
    .option("--keys-only", "list: leave the values out")
    .option("--existing", "watch: tell first what is there");
  addHubOption(command).action(cli.action<KvOptions>(run));
};

async function run(run: Run<KvOptions>): Promise<ExitCode> {
  const { io, options, args } = run;
  const [action, key, value] = args as [Action, string | undefined, string | undefined];
  for (const [name, actions] of Object.entries(OPTIONS)) {
    if (options[name as keyof KvOptions] === undefined || actions.includes(action)) continue;
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw usage(`${flag} belongs to ${actions.join(" and ")}, not to ${action}`);
  }
  if (action !== "set" && value !== undefined) throw usage(`"kv ${action}" takes no value`);
  const needsKey = action !== "list" && action !== "watch";
  if (needsKey && key === undefined) throw usage(`"kv ${action}" needs a key`);
  if (needsKey && key === "") throw usage("A key must not be empty");
  if (options.namespace === "") throw usage("--namespace must not be empty", "Name the plugin whose entries are meant");
  if (options.ifAbsent && options.ifVersion !== undefined) throw usage("Use --if-absent or --if-version, not both");
  return await withHub(io, options, async (hub) => {
    const what = { hub, key: key ?? "", value, ...run };
    switch (action) {
      case "get":
        return await getEntry(what);
      case "set":
        return await setEntry(what);
      case "delete":
        return await deleteEntry(what);
      case "list":
        return await listEntries(what);
      case "watch":
        return await watchEntries(what);
    }
  });
}

function version(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("Expected a whole number from 0 on.");
  return value;
}
