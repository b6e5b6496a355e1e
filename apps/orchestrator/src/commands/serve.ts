import type { AddCommand } from "../cli.ts";
import { parseDuration } from "../duration.ts";
import { chosenWorkspace } from "../hub/workspace.ts";

export interface ServeOptions {
  readonly workspace?: string;
  readonly config?: string;
  readonly listenAddr?: string;
  readonly certsDir?: string;
  readonly strictConfig?: boolean;
  readonly idleExit?: number;
  readonly logLevel?: string;
  readonly json?: boolean;
}

export const addServe: AddCommand = (cli) => {
  cli
    .command("serve", "Run the hub of a workspace until it is stopped", {
      "orchestrator serve": "this directory, with the plugins that come with the program or those in plugins.yaml",
      "orchestrator serve --config plugins.yaml --listen-addr localhost:0": "",
    })
    .option("-w, --workspace <dir>", "the workspace to serve (default: this directory)")
    .option("-c, --config <file>", "configuration (default: plugins.yaml in the workspace, if there is one)")
    .option("--listen-addr <host:port>", "where QUIC peers connect; port 0 lets the system choose")
    .option("--certs-dir <dir>", "certificates (default: ~/.orchestra/certs)")
    .option("--strict-config", "unknown keys in the configuration are errors")
    .option("--idle-exit <time>", "end after this long without clients, for example 30s", parseDuration)
    .option("--log-level <level>", "debug, info, warn or error")
    .action(
      cli.action<ServeOptions>(async ({ io, report, options }) => {
        const { serve } = await import("../hub/serve.ts");
        return serve(chosenWorkspace(io, options.workspace), options, { io, report });
      }),
    );
};
