import { isHttpRoute } from "@orchestrator/config";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import type { HubLog } from "./hub-log.ts";
import { callPeer } from "./local-call.ts";
import type { Offer, PluginEntry } from "./plugin-entry.ts";
import type { Port } from "./port.ts";

/**
 * What one plugin may list. All lists together must fit into one answer of 16 MiB, and every client reads all of it: the largest
 * plugin known lists 100 tools in 60 KiB.
 */
export const MAX_LIST_BYTES = 4 * 1024 * 1024;
export const MAX_LIST_LENGTH = 4_096;
/** As in manifests. */
const MAX_NAME_LENGTH = 256;
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * Asks a plugin for what it offers.
 * @throws {HubError} `START_FAILED` for a list that is too long, naming the plugin and the size
 */
export async function readOffer(
  plugin: PluginEntry,
  peer: Port,
  wheel: DeadlineWheel,
  log: HubLog,
  timeoutMs: number,
): Promise<Offer> {
  const [tools, prompts] = await Promise.all([
    callPeer(peer, wheel, { $case: "listTools", value: {} }, "listTools", timeoutMs, MAX_LIST_BYTES),
    // Plugins older than prompts answer with an error: they have none.
    callPeer(peer, wheel, { $case: "listPrompts", value: {} }, "listPrompts", timeoutMs, MAX_LIST_BYTES).catch(
      onlyProtocol,
    ),
  ]).catch((reason: unknown) => {
    const error = HubError.from(reason);
    if (error.code !== ErrorCode.FrameTooLarge) throw error;
    throw new HubError(ErrorCode.StartFailed, `Plugin "${plugin.id}" lists too much: ${error.message}`);
  });
  const { newestManifest: manifest, config } = plugin;
  const routes = [...config.providesHttp, ...(manifest?.providesHttp ?? [])];
  const unusable = routes.filter((route) => !isHttpRoute(route));
  if (unusable.length > 0) leftOut(plugin, log, "HTTP route", unusable);
  return {
    tools: usable(plugin, log, "tool", tools.response?.$case === "listTools" ? tools.response.value.tools : []),
    prompts: usable(
      plugin,
      log,
      "prompt",
      prompts?.response?.$case === "listPrompts" ? prompts.response.value.prompts : [],
    ),
    storage: [...new Set([...config.providesStorage, ...(manifest?.providesStorage ?? [])])],
    ai: [...new Set([...config.providesAi, ...(manifest?.providesAi ?? [])])],
    http: [...new Set(routes.filter(isHttpRoute))],
  };
}

/** Each name once, as far as it is one: clients print them, and requests with longer ones are refused. */
function usable<T extends { readonly name: string }>(
  plugin: PluginEntry,
  log: HubLog,
  what: string,
  items: readonly T[],
): T[] {
  if (items.length > MAX_LIST_LENGTH) {
    const why = `${items.length} ${what}s, the limit is ${MAX_LIST_LENGTH}`;
    throw new HubError(ErrorCode.StartFailed, `Plugin "${plugin.id}" lists too much: ${why}`);
  }
  const byName = new Map<string, T>();
  const unusable: string[] = [];
  for (const item of items) {
    const { name } = item;
    if (name === "" || name.length > MAX_NAME_LENGTH || CONTROL.test(name)) unusable.push(name);
    else byName.set(name, item);
  }
  if (unusable.length > 0) leftOut(plugin, log, what, unusable);
  return [...byName.values()];
}

function leftOut(plugin: PluginEntry, log: HubLog, what: string, names: readonly string[]): void {
  const [first = ""] = names;
  const shown = first.length > 60 ? `${first.slice(0, 60)}…` : first;
  const more = names.length > 1 ? ` and ${names.length - 1} more` : "";
  log.write("warn", plugin.id, `Left out ${what} ${JSON.stringify(shown)}${more}: no usable name`);
}

function onlyProtocol(reason: unknown): undefined {
  if (reason instanceof HubError && reason.code === ErrorCode.Protocol) return undefined;
  throw reason;
}
