import { resolve } from "node:path";
import { Option } from "commander";
import type { AddCommand } from "../cli.ts";
import { ExitCode } from "../exit-code.ts";
import { chosenWorkspace } from "../hub/workspace.ts";

interface Options {
  readonly workspace?: string;
  readonly config?: string;
  readonly certsDir?: string;
  readonly idleExit: string;
  readonly log: string;
}

export const addMcp: AddCommand = (cli) => {
  cli
    .command("mcp", "Serve an AI client over stdin and stdout; joins the hub of the workspace or starts it", {
      "orchestrator mcp --workspace /path/to/project": "what an IDE is told to run; see orchestrator init",
    })
    .option("-w, --workspace <dir>", "the workspace to serve (default: this directory)")
    .option("-c, --config <file>", "configuration for a hub that is started")
    .option("--certs-dir <dir>", "certificates for a hub that is started")
    .option("--idle-exit <time>", "how long a hub that is started stays without clients", "30s")
    .addOption(
      new Option("--log <level>", "what to write to stderr")
        .choices(["debug", "info", "warn", "error"])
        .default("warn"),
    )
    .action(
      cli.action<Options>(async ({ io, report, options }) => {
        if (io.stdin.isTTY)
          report.note(
            "Waiting for an MCP client on standard input; IDEs start this, see orchestrator init. Ctrl-D ends it.",
          );
        const { serveMcp } = await import("../hub/serve-mcp.ts");
        await serveMcp(io, {
          workspace: chosenWorkspace(io, options.workspace),
          idleExit: options.idleExit,
          log: options.log,
          hubArgs: [
            ...(options.config === undefined ? [] : ["--config", absolute(io.cwd, options.config)]),
            ...(options.certsDir === undefined ? [] : ["--certs-dir", absolute(io.cwd, options.certsDir)]),
          ],
        });
        return ExitCode.Ok;
      }),
    );
};

/** The hub starts in another directory than we. */
function absolute(cwd: string, path: string): string {
  return path.startsWith("~") ? path : resolve(cwd, path);
}
