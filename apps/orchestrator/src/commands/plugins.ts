import { Argument } from "commander";
import type { AddCommand } from "../cli.ts";
import { ACTION_NAMES, act } from "./plugin-actions.ts";
import { renderPlugins } from "./plugin-list.ts";
import { addHubOption, type HubOptions, withHub } from "./with-hub.ts";

function withoutUnknown<T extends { readonly _unknownFields?: unknown }>({ _unknownFields, ...rest }: T) {
  return rest;
}

export const addPlugins: AddCommand = (cli) => {
  const command = cli
    .command("plugins", "List the plugins of the running hub and how they do, or do something to one", {
      "orchestrator plugins": "",
      "orchestrator plugins disable tools.features": "stop it, also after the next start of the hub",
      "orchestrator plugins upgrade tools.features": "replace its process by a new one without losing a call",
      "orchestrator plugins reset tools.features": "start one that was given up, its crashes forgotten",
      "orchestrator plugins reload": "read the configuration again and apply what changed",
    })
    .addArgument(new Argument("[action]", "what to do").choices(ACTION_NAMES))
    .argument("[plugin]", "id of the plugin");
  addHubOption(command).action(
    cli.action<HubOptions>(async (run) => {
      const { io, report, options } = run;
      const [action, id] = run.args as readonly (string | undefined)[];
      if (action !== undefined) return await act(run, action, id);
      const { plugins } = await withHub(io, options, (hub) =>
        hub.control({ $case: "plugins", value: {} }, "plugins", { signal: io.signal }),
      );
      const value = plugins.map(({ _unknownFields, use, ...plugin }) => ({
        ...plugin,
        use: use && withoutUnknown(use),
      }));
      report.result(value, (style) => renderPlugins(value, style, report.columns));
      return undefined;
    }),
  );
};
