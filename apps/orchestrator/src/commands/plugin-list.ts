import type { PluginStatus } from "@orchestrator/protocol";
import type { Style } from "../output/style.ts";
import { plural, printable, size, span, table } from "../output/text.ts";

/** The list of plugins for people: a line each, and below it what is wrong with which. */
export function renderPlugins(
  plugins: readonly PluginStatus[],
  style: Style,
  columns: number | undefined,
): readonly string[] {
  if (plugins.length === 0) return ["The configuration names no plugins."];
  const rows = plugins.map((plugin) => [
    style.bold(plugin.id),
    stateText(plugin, style),
    plugin.version,
    plugin.pid === 0 ? "" : `pid ${plugin.pid}`,
    plugin.startMs === 0 ? "" : `started in ${span(plugin.startMs)}`,
    used(plugin),
    offers(plugin),
  ]);
  const lines = table(rows, { columns });
  const details = plugins.flatMap((plugin) => {
    const { crashes } = plugin;
    const ill = illnesses(plugin).map((what) => `${style.bold(plugin.id)}: ${style.yellow(what)}`);
    if (ill.length > 0) return ["", ...ill];
    if (plugin.state !== "failed" && plugin.state !== "backoff") return [];
    const tail = plugin.stderrTail.slice(-8).map((line) => `    ${style.dim(printable(line))}`);
    const count = crashes === 0 ? "" : ` (${crashes === 1 ? "1 crash" : `${crashes} crashes`})`;
    return ["", `${style.bold(plugin.id)}: ${reasonText(plugin.reason)}${count}`, ...tail];
  });
  return [...lines, ...details];
}

/** What is wrong with one that runs. */
function illnesses({ health, healthMessage, openCircuits }: PluginStatus): readonly string[] {
  const troubles = openCircuits.map((trouble) => `degraded: ${printable(trouble)}`);
  return isIll(health) ? [`${health}: ${printable(healthMessage)}`, ...troubles] : troubles;
}

function isIll(health: string): boolean {
  return health === "unhealthy" || health === "degraded";
}

/** Without the plugin's last words, which stand below it. */
export function reasonText(reason: string): string {
  const [first = ""] = reason.split("\n");
  return printable(first.replace(/\. Its last words:$/, ""));
}

/** In one word: what it does, or that it is not to do anything. */
export function stateText(
  plugin: Pick<PluginStatus, "state" | "enabled" | "activation" | "health" | "openCircuits">,
  style: Style,
): string {
  const { state, enabled, activation, health, openCircuits } = plugin;
  if (!enabled) return style.dim("disabled");
  if (activation === "lazy" && (state === "stopped" || state === "registered")) return style.dim("asleep");
  if (state === "ready" && isIll(health)) return style.yellow(health);
  if (state === "ready" && openCircuits.length > 0) return style.yellow("degraded");
  if (state === "ready") return style.green(state);
  return state === "failed" ? style.red(state) : style.yellow(state);
}

/** With all of its processes; the share of a processor is that since somebody looked last. */
function used({ use }: PluginStatus): string {
  return use === undefined ? "" : `${size(use.rssBytes)}, ${Math.round(use.cpu * 100)} % CPU`;
}

function offers({ tools, prompts, storage, providers, routes }: PluginStatus): string {
  const parts = [
    routes.length > 0 ? `HTTP ${routes.join(", ")}` : "",
    tools.length > 0 ? plural(tools.length, "tool") : "",
    prompts.length > 0 ? plural(prompts.length, "prompt") : "",
    storage.length > 0 ? `storage ${storage.join(", ")}` : "",
    providers.length > 0 ? `AI ${providers.join(", ")}` : "",
  ];
  return parts.filter((part) => part !== "").join("; ");
}
