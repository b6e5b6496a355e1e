import { statSync } from "node:fs";
import { resolve } from "node:path";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { type Restored, restoreDatabase } from "@orchestrator/store";
import { type AddCommand, usage } from "../cli.ts";
import { CliError, ExitCode } from "../exit-code.ts";
import { loadHubConfig } from "../hub/default-config.ts";
import { findHub } from "../hub/state-file.ts";
import { chosenWorkspace } from "../hub/workspace.ts";
import type { Style } from "../output/style.ts";
import { plural, printable, table } from "../output/text.ts";

interface Options {
  readonly workspace?: string;
  readonly dryRun?: boolean;
}

const STOP_FIRST = "Stop the hub first: orchestrator stop";

export const addRestore: AddCommand = (cli) => {
  cli
    .command("restore", "Go back to a copy of the database; the hub must not run", {
      "orchestrator restore hub-backup.db": "",
      "orchestrator restore hub-backup.db --dry-run": "check it, and show what it holds",
    })
    .argument("<file>", "a copy that `orchestrator backup` made; it stays as it is")
    .option("-w, --workspace <dir>", "the workspace whose hub is meant (default: this directory)")
    .option("--dry-run", "change nothing")
    .action(
      cli.action<Options>(async ({ io, report, options, args }) => {
        if (args[0] === "") throw usage("Name the file that the copy is in");
        const backup = resolve(io.cwd, args[0] as string);
        const dryRun = options.dryRun ?? false;
        const workspace = chosenWorkspace(io, options.workspace);
        const isExplicit = options.workspace !== undefined;
        const running = findHub(workspace);
        if (running.is === "running" && !dryRun) {
          const what = `The hub of workspace "${workspace}" runs, process ${running.state.pid}; nothing was changed`;
          throw new CliError(ExitCode.Failure, what, { code: ErrorCode.FailedPrecondition, hint: STOP_FIRST });
        }
        const { config } = await loadHubConfig(io, { workspace, isExplicit, flags: {} });
        const { file } = config.store;
        const done = await restore(file, backup, dryRun);
        const { entries, events, previous } = done;
        const result = {
          file,
          backup,
          bytes: statSync(backup).size,
          entries,
          events,
          previous: previous ?? null,
          dryRun,
        };
        if (previous === undefined && !dryRun) {
          report.warn(`There was no database at "${printable(file)}" before: is this the workspace that you meant?`);
        }
        report.result(result, (style) => render(file, done, dryRun, style, report.columns));
        return ExitCode.Ok;
      }),
    );
};

async function restore(file: string, backup: string, dryRun: boolean): Promise<Restored> {
  try {
    return await restoreDatabase({ file, backup, dryRun });
  } catch (reason) {
    const { code, message } = HubError.from(reason);
    const exit = code === ErrorCode.NotFound ? ExitCode.NotFound : ExitCode.Failure;
    const hint = code === ErrorCode.AlreadyExists ? { hint: STOP_FIRST } : {};
    throw new CliError(exit, message, { code, cause: reason, ...hint });
  }
}

function render(
  file: string,
  { entries, events, previous }: Restored,
  dryRun: boolean,
  style: Style,
  columns: number | undefined,
): readonly string[] {
  const kept = previous === undefined ? "there was none" : printable(previous);
  const rows = [
    [style.bold("holds"), `${entries === 1 ? "1 entry" : `${entries} entries`}, ${plural(events, "event")}`],
    [style.bold(dryRun ? "would go to" : "is now"), printable(file)],
    ...(dryRun ? [] : [[style.bold("before"), kept]]),
  ];
  return [...(dryRun ? [style.yellow("Nothing was changed.")] : []), ...table(rows, { columns })];
}
