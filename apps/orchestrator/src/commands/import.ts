import { resolve } from "node:path";
import { Argument } from "commander";
import type { AddCommand } from "../cli.ts";
import { ExitCode } from "../exit-code.ts";
import { chosenWorkspace } from "../hub/workspace.ts";
import type { Style } from "../output/style.ts";
import { plural, printable, table } from "../output/text.ts";
import { importToru, type ToruImport } from "../toru/import-toru.ts";

interface Options {
  readonly db?: string;
  readonly workspace?: string;
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
}

export const addImport: AddCommand = (cli) => {
  cli
    .command("import", "Take over entries, events and plugins from another core; the hub must not run", {
      "orchestrator import toru /srv/toru": "its plugins/ and steering.db",
      "orchestrator import toru /srv/toru --db /var/lib/toru/steering.db --dry-run": "show what would come",
    })
    .addArgument(new Argument("<kind>", "what it is").choices(["toru"]))
    .argument("<directory>", "its working directory")
    .option("--db <file>", "its database (default: steering.db in the directory)")
    .option("-w, --workspace <dir>", "the workspace that takes it over (default: this directory)")
    .option("--overwrite", "its entries and its id win over those that are there")
    .option("--dry-run", "write nothing, show what would be done; programs are asked what they are all the same")
    .action(
      cli.action<Options>(async ({ io, report, options, args }) => {
        const done = await importToru(io, {
          directory: resolve(io.cwd, args[1] as string),
          database: options.db,
          workspace: chosenWorkspace(io, options.workspace),
          isExplicit: options.workspace !== undefined,
          overwrite: options.overwrite ?? false,
          dryRun: options.dryRun ?? false,
        });
        for (const line of done.leftOut) report.warn(`Left out: ${line}`);
        if (done.configIsNew && !done.dryRun) {
          report.warn(`"${done.config}" is new: plugins that come with the program now run only where it names them`);
        }
        report.result(done, (style) => render(done, style, report.columns));
        return ExitCode.Ok;
      }),
    );
};

const INSTANCE_ID = {
  none: "none there",
  taken: "taken over",
  same: "the same already",
  kept: "kept our own (--overwrite takes it over)",
} as const;

function render(done: ToruImport, style: Style, columns: number | undefined): readonly string[] {
  const old = done.tooOld === 0 ? "" : `, ${done.tooOld} too old to be kept`;
  const conflicts =
    done.conflicts === 0 ? "" : `, ${done.conflicts} that differ were left as they are (--overwrite takes them over)`;
  const rows = [
    [style.bold("entries"), `${done.entries}${conflicts}`],
    [style.bold("events"), `${done.events}${old}`],
    [style.bold("instance id"), INSTANCE_ID[done.instanceId]],
    [style.bold("plugins"), `${done.plugins.filter(({ added }) => added).length} added to ${printable(done.config)}`],
  ];
  const plugins = done.plugins.map(({ id, file, enabled, added }) => [
    `  ${style.bold(id)}`,
    added ? style.green("added") : style.dim("there already"),
    enabled ? "" : style.yellow("disabled"),
    printable(file),
  ]);
  const left = done.leftOut.length === 0 ? [] : [`${plural(done.leftOut.length, "thing")} left out, see above`];
  const head = done.dryRun ? [style.yellow("Nothing was written. This would come, at most:")] : [];
  return [...head, ...table(rows, { columns }), ...table(plugins, { columns }), ...left];
}
