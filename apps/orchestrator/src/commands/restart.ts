import type { AddCommand } from "../cli.ts";
import { ExitCode } from "../exit-code.ts";
import { span } from "../output/text.ts";
import { stateText } from "./plugins.ts";
import { addHubOption, type HubOptions, withHub } from "./with-hub.ts";

export const addRestart: AddCommand = (cli) => {
  const command = cli.command("restart", "Stop and start one plugin of the running hub", {
    "orchestrator restart tools.features": "",
  });
  addHubOption(command.argument("<plugin>", "id of the plugin; see orchestrator plugins")).action(
    cli.action<HubOptions>(async ({ io, report, options, args }) => {
      const id = args[0] as string;
      const started = performance.now();
      const status = await withHub(io, options, async (hub) => {
        await hub.control({ $case: "restart", value: { plugin: id } }, "done", { signal: io.signal });
        const { plugins } = await hub.control({ $case: "plugins", value: {} }, "plugins", { signal: io.signal });
        return plugins.find((plugin) => plugin.id === id || plugin.manifestId === id);
      });
      const { state = "unknown", pid = 0 } = status ?? {};
      report.result(
        { plugin: id, state, pid },
        (style) =>
          `${style.bold(id)} ${stateText(state, style)}, process ${pid}, after ${span(performance.now() - started)}`,
      );
      return state === "ready" ? ExitCode.Ok : ExitCode.Failure;
    }),
  );
};
