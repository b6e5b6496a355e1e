import type { AddCommand } from "../cli.ts";
import { act } from "./plugin-actions.ts";
import { addHubOption, type HubOptions } from "./with-hub.ts";

export const addRestart: AddCommand = (cli) => {
  const command = cli.command("restart", "Replace the process of one plugin of the running hub", {
    "orchestrator restart tools.features": "",
  });
  addHubOption(command.argument("<plugin>", "id of the plugin; see orchestrator plugins")).action(
    cli.action<HubOptions>((run) => act(run, "restart", run.args[0] as string)),
  );
};
