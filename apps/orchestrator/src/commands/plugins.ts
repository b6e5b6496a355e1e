import type { PluginStatus } from "@orchestrator/protocol";
import type { AddCommand } from "../cli.ts";
import type { Style } from "../output/style.ts";
import { plural, printable, span, table } from "../output/text.ts";
import { addHubOption, type HubOptions, withHub } from "./with-hub.ts";

export const addPlugins: AddCommand = (cli) => {
  const command = cli.command("plugins", "List the plugins of the running hub and how they do", {
    "orchestrator plugins": "",
  });
  addHubOption(command).action(
    cli.action<HubOptions>(async ({ io, report, options }) => {
      const { plugins } = await withHub(io, options, (hub) =>
        hub.control({ $case: "plugins", value: {} }, "plugins", { signal: io.signal }),
      );
      const value = plugins.map(({ _unknownFields, ...plugin }) => plugin);
      report.result(value, (style) => render(value, style, report.columns));
      return undefined;
    }),
  );
};

function render(plugins: readonly PluginStatus[], style: Style, columns: number | undefined): readonly string[] {
  if (plugins.length === 0) return ["The configuration names no plugins."];
  const rows = plugins.map((plugin) => [
    style.bold(plugin.id),
    stateText(plugin.state, style),
    plugin.version,
    plugin.pid === 0 ? "" : `pid ${plugin.pid}`,
    plugin.startMs === 0 ? "" : `started in ${span(plugin.startMs)}`,
    offers(plugin),
  ]);
  const lines = table(rows, { columns });
  const details = plugins.flatMap((plugin) => {
    const troubled = plugin.state === "failed" || plugin.state === "backoff";
    if (!troubled) return [];
    const tail = plugin.stderrTail.slice(-8).map((line) => `    ${style.dim(printable(line))}`);
    return ["", `${style.bold(plugin.id)}: ${printable(plugin.reason)}`, ...tail];
  });
  return [...lines, ...details];
}

export function stateText(state: string, style: Style): string {
  if (state === "ready") return style.green(state);
  return state === "failed" ? style.red(state) : style.yellow(state);
}

function offers({ tools, prompts, storage, providers }: PluginStatus): string {
  const parts = [
    tools.length > 0 ? plural(tools.length, "tool") : "",
    prompts.length > 0 ? plural(prompts.length, "prompt") : "",
    storage.length > 0 ? `storage ${storage.join(", ")}` : "",
    providers.length > 0 ? `AI ${providers.join(", ")}` : "",
  ];
  return parts.filter((part) => part !== "").join("; ");
}
