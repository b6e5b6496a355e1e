import type { ListKind, LogEntry, LogLevel, McpBackend } from "@orchestrator/mcp";
import type { Publish } from "@orchestrator/protocol";
import { CAPABILITIES_TOPIC, PLUGINS_TOPIC } from "../hub/events.ts";
import type { HubConnection } from "../hub/hub-connection.ts";
import { Hub } from "./hub.ts";
import { Prompts } from "./prompts.ts";
import { Resources } from "./resources.ts";
import { TEMPLATES } from "./templates.ts";
import { Tools } from "./tools.ts";

/** A backend, and what the connection tells it. */
export interface HubBackend extends McpBackend {
  /** True once the client may hold a list. */
  readonly listed: boolean;
  /** Any list may be another one now. */
  changed(): void;
  /** The hub published something of its own. */
  event(event: Publish): void;
  say(level: LogLevel, message: string): void;
}

const KINDS: readonly ListKind[] = ["tools", "prompts", "resources"];

/** How much the operator should mind that a plugin is in a state. */
const STATE_LEVELS: ReadonlyMap<string, LogLevel> = new Map([
  ["failed", "error"],
  ["backoff", "warning"],
]);

/** Answers a Model Context Protocol session from a hub. */
export function createHubBackend(connection: HubConnection, options: { readonly callTimeoutMs: number }): HubBackend {
  const hub = new Hub(connection);
  const tools = new Tools(hub, options.callTimeoutMs);
  const prompts = new Prompts(hub);
  const resources = new Resources(hub);
  const changes = new Set<(kind: ListKind) => void>();
  const logs = new Set<(entry: LogEntry) => void>();
  const changed = () => {
    tools.forget();
    for (const kind of KINDS) for (const listener of changes) listener(kind);
  };
  const log = (entry: LogEntry) => {
    for (const listener of logs) listener(entry);
  };
  let listed = false;
  const list = <T>(answer: Promise<T>): Promise<T> => {
    listed = true;
    return answer;
  };
  return {
    get listed() {
      return listed;
    },
    listTools: (call) => list(tools.list(call)),
    callTool: (name, input, call) => tools.call(name, input, call),
    listPrompts: (call) => list(prompts.list(call)),
    getPrompt: (name, input, call) => prompts.get(name, input, call),
    listResources: (call) => list(resources.list(call)),
    listResourceTemplates: async () => TEMPLATES,
    readResource: (uri, call) => resources.read(uri, call),
    completeTemplate: (completion, call) => resources.complete(completion, call),
    onListChanged: (listener) => listen(changes, listener),
    onLog: (listener) => listen(logs, listener),
    changed,
    event: ({ topic, eventType, payload }) => {
      if (topic === CAPABILITIES_TOPIC) changed();
      if (topic === PLUGINS_TOPIC) log(pluginEntry(eventType, payload ?? {}));
    },
    say: (level, message) => log({ level, logger: "transport.stdio", data: message }),
  };
}

function listen<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function pluginEntry(state: string, payload: { readonly [key: string]: unknown }): LogEntry {
  const plugin = String(payload["plugin"] ?? "");
  const message = `Plugin "${plugin}" is ${state}`;
  return { level: STATE_LEVELS.get(state) ?? "info", logger: "hub", data: { message, plugin, state } };
}
