import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { checkPluginId } from "@orchestrator/identity";
import type { HubError } from "@orchestrator/protocol";
import { type AddCommand, usage } from "../cli.ts";
import { CliError, ExitCode } from "../exit-code.ts";
import { dependencySource, linkPackages } from "../scaffold/checkout.ts";
import { pluginFiles, toolName } from "../scaffold/files.ts";

interface Options {
  readonly dir?: string;
  readonly json?: boolean;
}

export const addNew: AddCommand = (cli) => {
  cli
    .command("new", "Make a new plugin in TypeScript, ready to run, test and build", {
      "orchestrator new tools.notes": "in ./tools.notes",
      "orchestrator new tools.notes --dir ~/code/notes": "",
    })
    .argument("<id>", "id of the plugin, such as tools.notes")
    .option("-d, --dir <dir>", "where to make it (default: a directory with the plugin's id, here)")
    .action(
      cli.action<Options>(({ io, report, options, args }) => {
        const id = checkedId(args[0] as string);
        const directory = resolve(io.cwd, options.dir ?? id);
        refuseFull(directory);
        const { dependencies, links } = dependencySource(directory);
        const files = pluginFiles({ id, ...dependencies });
        writeAll(directory, files);
        linkPackages(directory, links);
        const install = Object.keys(links).length === 0;
        report.result({ id, directory, files: Object.keys(files), tool: toolName(id), install }, (style) => [
          `${style.green("Made")} ${style.bold(id)} in ${directory}: ${Object.keys(files).join(", ")}`,
          "",
          "Next:",
          `  cd ${relative(io.cwd, directory) || "."}`,
          ...(install ? ["  npm install"] : []),
          "  npm test",
          "  orchestrator serve",
          `  orchestrator call ${toolName(id)} --arg name=Ada      ${style.dim("# in another terminal, in the same directory")}`,
        ]);
        return ExitCode.Ok;
      }),
    );
};

function checkedId(id: string): string {
  try {
    return checkPluginId(id);
  } catch (error) {
    throw usage((error as HubError).message);
  }
}

/** Nothing is ever overwritten: what is made by hand is worth more than what is made here. */
function refuseFull(directory: string): void {
  let entries: readonly string[];
  try {
    entries = readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new CliError(ExitCode.Failure, `Cannot make a plugin in "${directory}": ${(error as Error).message}`);
  }
  if (entries.length > 0) {
    throw new CliError(ExitCode.Failure, `Cannot make a plugin in "${directory}": it is not empty`, {
      hint: "Choose another directory with --dir",
      code: "ALREADY_EXISTS",
    });
  }
}

/** All or nothing: files that were written are removed again when a later one fails. */
function writeAll(directory: string, files: Readonly<Record<string, string>>): void {
  const written: string[] = [];
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(directory, name);
      mkdirSync(dirname(path), { recursive: true });
      written.push(path);
      writeFileSync(path, text, { flag: "wx", mode: name === "src/main.ts" ? 0o755 : 0o644 });
    }
  } catch (error) {
    for (const path of written) rmSync(path, { force: true });
    throw new CliError(ExitCode.Failure, `Cannot make a plugin in "${directory}": ${(error as Error).message}`, {
      cause: error,
    });
  }
}
