import { existsSync, readFileSync } from "node:fs";
import type { LogLine } from "@orchestrator/protocol";
import type { AddCommand } from "../cli.ts";
import { countUpTo } from "../count.ts";
import { ExitCode } from "../exit-code.ts";
import { followToEnd } from "../hub/follow-to-end.ts";
import { formatEntry, jsonEntry } from "../hub/log-sink.ts";
import { findHub, logFile } from "../hub/state-file.ts";
import { workspaceWithHub } from "../hub/workspace.ts";
import { printable } from "../output/text.ts";
import { addHubOption, type HubOptions, withHub } from "./with-hub.ts";

interface Options extends HubOptions {
  readonly follow?: boolean;
  readonly lines: number;
  readonly json?: boolean;
}

export const addLogs: AddCommand = (cli) => {
  const command = cli.command("logs", "Show the log of the hub, or of one plugin", {
    "orchestrator logs -f": "and go on with lines as they come",
    "orchestrator logs tools.features -n 20": "the last 20 lines of one plugin",
  });
  command
    .argument("[source]", 'id of a plugin, or "hub"')
    .option("-f, --follow", "go on until interrupted or the hub stops")
    .option("-n, --lines <count>", "how many past lines", countUpTo(1_000_000), 100);
  addHubOption(command).action(
    cli.action<Options>(async ({ io, report, options, args }) => {
      const plugin = (args[0] as string | undefined) ?? "";
      const show = ({ _unknownFields, ...line }: LogLine): void => {
        const entry = { ...line, level: line.level as "info", fields: line.fields as undefined };
        report.print(options.json ? jsonEntry(entry) : formatEntry(entry, report.style));
      };
      const workspace = workspaceWithHub(io, options.workspace);
      if (findHub(workspace).is !== "running" && !options.follow && existsSync(logFile(workspace))) {
        report.note(
          `No hub runs for workspace "${workspace}"; these are the last lines of the one before, from ${logFile(workspace)}`,
        );
        const lines = readFileSync(logFile(workspace), "utf8").trimEnd().split("\n").slice(-options.lines);
        for (const line of lines) report.print(options.json ? JSON.stringify({ text: line }) : printable(line));
        return ExitCode.Ok;
      }
      await withHub(io, options, async (hub) => {
        const value = { plugin, tail: options.lines, follow: options.follow ?? false };
        const command = { $case: "logs", value } as const;
        if (!options.follow) {
          for (const line of (await hub.control(command, "logs", { signal: io.signal })).lines) show(line);
          return;
        }
        await followToEnd(hub, { io, report }, async () => {
          for await (const batch of hub.follow(command, "logs", io.signal)) for (const line of batch.lines) show(line);
        });
      });
      return ExitCode.Ok;
    }),
  );
};
