import type { PluginEvent } from "@orchestrator/protocol";
import type { AddCommand } from "../cli.ts";
import { EVENT_TYPES } from "../completion/words.ts";
import { countUpTo } from "../count.ts";
import { parseMoment } from "../duration.ts";
import { ExitCode } from "../exit-code.ts";
import { followToEnd } from "../hub/follow-to-end.ts";
import type { HubClient } from "../hub/hub-client.ts";
import { unknownPlugin } from "../hub/unknown-plugin.ts";
import type { Reporter } from "../output/reporter.ts";
import type { Style } from "../output/style.ts";
import { printable } from "../output/text.ts";
import { addHubOption, type HubOptions, withHub } from "./with-hub.ts";

interface Options extends HubOptions {
  readonly since?: number;
  readonly follow?: boolean;
  readonly plugin?: string;
  readonly type?: string;
  readonly lines: number;
  readonly json?: boolean;
}

export const addEvents: AddCommand = (cli) => {
  const command = cli.command("events", "Show what happened to plugins: starts, crashes, stops …", {
    "orchestrator events --since 1h -f": "the last hour, and go on as they come",
    "orchestrator events --plugin tools.dice --type crashed": "crashes of one plugin",
  });
  command
    .option("--since <time>", "only from then on: so long ago (30m, 7d), or a date", parseMoment)
    .option("-f, --follow", "go on until interrupted or the hub stops")
    .option("-p, --plugin <id>", "only what happened to this plugin")
    .option("-t, --type <type>", "only events of this type")
    .option("-n, --lines <count>", "at most so many past ones, the latest", countUpTo(10_000), 1_000);
  addHubOption(command).action(
    cli.action<Options>(async ({ io, report, options }) => {
      const { since: sinceMs = 0, plugin = "", type = "", follow = false, lines: limit } = options;
      const show = (event: PluginEvent) => report.print(options.json ? jsonLine(event) : line(event, report.style));
      await withHub(io, options, async (hub) => {
        const command = { $case: "events", value: { plugin, type, sinceMs, limit, follow } } as const;
        let count = 0;
        const showAll = async () => {
          for await (const batch of hub.follow(command, "events", io.signal)) {
            count += batch.events.length;
            batch.events.forEach(show);
          }
        };
        if (follow) {
          await explain(hub, { plugin, type }, report);
          await followToEnd(hub, { io, report }, showAll);
        } else {
          await showAll();
          if (count === 0) await explain(hub, { plugin, type }, report);
        }
      });
      return ExitCode.Ok;
    }),
  );
};

/** A name that is mistyped finds nothing, now and later. */
async function explain(hub: HubClient, filter: { plugin: string; type: string }, report: Reporter): Promise<void> {
  const { plugin, type } = filter;
  if (type !== "" && !Object.hasOwn(EVENT_TYPES, type)) {
    report.warn(`The hub tells of no "${type}"; its events are ${Object.keys(EVENT_TYPES).join(", ")}`);
  }
  if (plugin === "") return;
  const { plugins } = await hub.control({ $case: "plugins", value: {} }, "plugins");
  const ids = plugins.map(({ id }) => id);
  if (!ids.includes(plugin)) report.warn(unknownPlugin(plugin, ids));
}

function jsonLine({ id, timeMs, plugin, type, details }: PluginEvent): string {
  return JSON.stringify({ id, time: new Date(timeMs).toISOString(), plugin, type, details: details ?? {} });
}

function line({ timeMs, plugin, type, details }: PluginEvent, style: Style): string {
  const said = Object.entries(details ?? {}).filter(([, value]) => value !== "");
  const values = said.map(([key, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return `${style.dim(`${printable(key)}=`)}${printable(text)}`;
  });
  const time = new Date(timeMs).toISOString().replace("T", " ").slice(0, 23);
  const mark = type === "crashed" || type === "failed" ? style.red : type === "ready" ? style.green : style.yellow;
  return [style.dim(time), style.bold(printable(plugin)), mark(printable(type)), ...values].join("  ");
}
