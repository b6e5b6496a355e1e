import type { ControlRequest, PluginStatus } from "@orchestrator/protocol";
import { type Run, usage } from "../cli.ts";
import { ExitCode } from "../exit-code.ts";
import type { HubClient } from "../hub/hub-client.ts";
import type { Style } from "../output/style.ts";
import { plural, span } from "../output/text.ts";
import { reasonText, stateText } from "./plugin-list.ts";
import { type HubOptions, withHub } from "./with-hub.ts";

type Command = NonNullable<ControlRequest["command"]>;

/** What can be done to a plugin, by the word for it. */
const ACTIONS: Readonly<Record<string, (plugin: string) => Command>> = {
  enable: (plugin) => ({ $case: "enable", value: { plugin, enabled: true } }),
  disable: (plugin) => ({ $case: "enable", value: { plugin, enabled: false } }),
  restart: (plugin) => ({ $case: "restart", value: { plugin } }),
  upgrade: (plugin) => ({ $case: "upgrade", value: { plugin } }),
  reset: (plugin) => ({ $case: "reset", value: { plugin } }),
};
export const ACTION_NAMES = [...Object.keys(ACTIONS), "reload"];

/** Carries an action out and tells what became of it. @throws what the hub says against it */
export async function act(run: Run<HubOptions>, action: string, id: string | undefined): Promise<ExitCode> {
  if (action === "reload") {
    if (id !== undefined) throw usage("reload reads the whole configuration again and takes no plugin");
    return await reload(run);
  }
  if (id === undefined) throw usage(`${action} needs the id of a plugin`, "See: orchestrator plugins");
  const { io, report, options } = run;
  const started = performance.now();
  const status = await withHub(io, options, async (hub) => {
    await hub.control(ACTIONS[action]!(id), "done", { signal: io.signal });
    return (await list(hub, io.signal)).find((plugin) => plugin.id === id || plugin.manifestId === id);
  });
  const { state = "unknown", pid = 0, enabled = false, activation = "eager", reason = "" } = status ?? {};
  const isAsleep = activation === "lazy" && (state === "stopped" || state === "registered");
  const isDone = action === "disable" ? !enabled : state === "ready" || isAsleep;
  report.result({ plugin: id, state, pid, enabled }, (style) => {
    const process = pid === 0 ? "" : `, process ${pid}`;
    const why = isDone || reason === "" ? "" : `: ${reasonText(reason)}`;
    const text = status === undefined ? style.yellow(state) : stateText(status, style);
    return `${style.bold(id)} ${text}${process}, after ${span(performance.now() - started)}${why}`;
  });
  return isDone ? ExitCode.Ok : ExitCode.Failure;
}

async function reload({ io, report, options }: Run<HubOptions>): Promise<ExitCode> {
  const { before, after } = await withHub(io, options, async (hub) => {
    const before = await list(hub, io.signal);
    await hub.control({ $case: "reload", value: {} }, "done", { signal: io.signal });
    return { before, after: await list(hub, io.signal) };
  });
  const old = new Map(before.map((plugin) => [plugin.id, plugin]));
  const now = new Set(after.map(({ id }) => id));
  // A new entry counts its starts anew, so a plugin that was restarted shows by its process.
  const isAnew = ({ id, pid, state }: PluginStatus) => old.get(id)?.pid !== pid || old.get(id)?.state !== state;
  const result = {
    added: after.filter(({ id }) => !old.has(id)).map(({ id }) => id),
    removed: before.filter(({ id }) => !now.has(id)).map(({ id }) => id),
    restarted: after.filter((plugin) => old.has(plugin.id) && isAnew(plugin)).map(({ id }) => id),
    plugins: after.map(({ id, state, pid }) => ({ id, state, pid })),
  };
  report.result(result, (style) => rendered(result, after.length, style));
  return after.some(({ state }) => state === "failed") ? ExitCode.Failure : ExitCode.Ok;
}

function rendered(
  { added, removed, restarted }: Readonly<Record<"added" | "removed" | "restarted", readonly string[]>>,
  total: number,
  style: Style,
): string {
  const parts = Object.entries({ added, removed, restarted }).filter(([, ids]) => ids.length > 0);
  const what = parts.map(([word, ids]) => `${word} ${ids.map((id) => style.bold(id)).join(", ")}`);
  return `Read the configuration again, ${plural(total, "plugin")}: ${what.join("; ") || "nothing changed"}`;
}

async function list(hub: HubClient, signal: AbortSignal): Promise<readonly PluginStatus[]> {
  return (await hub.control({ $case: "plugins", value: {} }, "plugins", { signal })).plugins;
}
