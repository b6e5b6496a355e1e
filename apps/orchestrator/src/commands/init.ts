import { statSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { type AddCommand, usage } from "../cli.ts";
import { ExitCode } from "../exit-code.ts";
import { detectTargets } from "../ide/detect.ts";
import type { ServerEntry } from "../ide/server-entry.ts";
import { type Places, TARGETS, type Target } from "../ide/targets.ts";
import { type Written, writeConfig } from "../ide/write-config.ts";
import type { Io } from "../io.ts";
import type { Style } from "../output/style.ts";
import { table } from "../output/text.ts";
import { lastingCommand } from "../program-path.ts";

interface Options {
  readonly ide?: string;
  readonly all?: boolean;
  readonly workspace?: string;
  readonly name: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const IDS = TARGETS.map((target) => target.id);

export const addInit: AddCommand = (cli) => {
  cli
    .command("init", "Tell AI clients (IDEs) how to start this program for a workspace", {
      "orchestrator init": "the clients that are in use here",
      "orchestrator init --ide cursor,vscode": "these two",
      "orchestrator init --all --dry-run": "show what would be written",
    })
    .option("--ide <list>", `clients, separated by commas: ${IDS.join(", ")}`)
    .option("--all", "every client")
    .option("-w, --workspace <dir>", "the workspace to serve (default: this directory)")
    .option("--name <name>", "name of the server in the client", "orchestra")
    .option("--dry-run", "write nothing, show what would be written")
    .option("-y, --yes", "ask nothing, also on a terminal")
    .action(
      cli.action<Options>(async ({ io, report, options }) => {
        const workspace = resolve(io.cwd, options.workspace ?? ".");
        if (!statSync(workspace, { throwIfNoEntry: false })?.isDirectory()) {
          throw usage(`Cannot set up "${workspace}": there is no such directory`);
        }
        if (!/^[A-Za-z0-9_-]{1,64}$/.test(options.name)) {
          throw usage(`Cannot use the name ${JSON.stringify(options.name)}: letters, digits, - and _ only`);
        }
        const places = { workspace, home: io.home };
        const targets = await choose(io, options, places);
        const [command, ...args] = lastingCommand(["mcp", "--workspace", workspace]);
        const server = { name: options.name, command, args };
        const planned = new Map<string, string>();
        const written = targets.map((target) =>
          writeConfig(target, server, { ...places, dryRun: options.dryRun ?? false, planned }),
        );
        report.result({ workspace, server, dryRun: options.dryRun ?? false, written }, (style) =>
          render(written, { style, server, dryRun: options.dryRun ?? false }),
        );
        return written.some((one) => one.action === "failed") ? ExitCode.Failure : ExitCode.Ok;
      }),
    );
};

/** The clients asked for; else those found here, after asking where somebody can answer. */
async function choose(io: Io, options: Options, places: Places): Promise<readonly Target[]> {
  if (options.all) return TARGETS;
  if (options.ide !== undefined) return parseIds(options.ide);
  const detected = detectTargets(places);
  if (options.yes || options.json || !io.stdin.isTTY || !io.stdout.isTTY) return detected;
  const { askForTargets } = await import("../ide/ask.ts");
  return askForTargets(detected, io);
}

function parseIds(list: string): readonly Target[] {
  const ids = list
    .split(",")
    .map((id) => id.trim())
    .filter((id) => id !== "");
  const unknown = ids.filter((id) => !IDS.includes(id));
  if (unknown.length > 0 || ids.length === 0) {
    throw usage(
      `Unknown client ${unknown.map((id) => `"${id}"`).join(", ") || '""'}`,
      `Known clients: ${IDS.join(", ")}`,
    );
  }
  return TARGETS.filter((target) => ids.includes(target.id));
}

interface RenderOptions {
  readonly style: Style;
  readonly server: ServerEntry;
  readonly dryRun: boolean;
}

function render(written: readonly Written[], { style, server, dryRun }: RenderOptions): readonly string[] {
  const rows = written.map(({ ide, action, file, error, backup }) => {
    const color = action === "failed" ? style.red : action === "unchanged" ? style.dim : style.green;
    const note = error === undefined ? "" : `: ${error}`;
    return [
      style.bold(ide),
      color(action),
      shortened(file) + note + (backup === undefined ? "" : style.dim(" (old one in .bak)")),
    ];
  });
  const lines = [...table(rows)];
  for (const { file, text } of written) {
    if (text !== undefined) lines.push("", style.cyan(`--- ${shortened(file)}`), text.trimEnd());
  }
  if (written.some((one) => one.action === "failed"))
    lines.push("", "Files that failed were left as they are. Mend them and run init again.");
  else if (!dryRun) lines.push("", `Restart the client; it starts: ${[server.command, ...server.args].join(" ")}`);
  return lines;
}

function shortened(file: string): string {
  const home = homedir();
  return file.startsWith(`${home}/`) ? `~${file.slice(home.length)}` : file;
}
