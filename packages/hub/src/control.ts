import { ErrorCode, errorResponse, HubError, type PluginRequest, type PluginResponse } from "@orchestrator/protocol";
import type { Store } from "@orchestrator/store";
import { describeState } from "@orchestrator/supervisor";
import type { CallId } from "@orchestrator/transport";
import type { CallLog } from "./call-log.ts";
import { followLog, logBatch } from "./follow-log.ts";
import type { HubLog } from "./hub-log.ts";
import { reply } from "./local-answers.ts";
import type { PluginEntry } from "./plugin-entry.ts";
import { answerEvents } from "./plugin-events.ts";
import type { Port } from "./port.ts";
import { printable, printableLines } from "./printable.ts";
import type { PluginCommands } from "./supervision/plugin-commands.ts";

type ControlResponse = Extract<PluginResponse["response"], { $case: "control" }>["value"];
type HubStatus = Extract<ControlResponse["result"], { $case: "status" }>["value"];
type PluginStatus = Extract<ControlResponse["result"], { $case: "plugins" }>["value"]["plugins"][number];

type Command = NonNullable<Extract<NonNullable<PluginRequest["request"]>, { $case: "control" }>["value"]["command"]>;
type PluginCommand = Extract<Command, { $case: "restart" | "upgrade" | "enable" | "reset" | "reload" }>;

export interface ControlOptions {
  readonly log: HubLog;
  readonly calls: CallLog;
  readonly plugins: () => readonly PluginEntry[];
  readonly status: () => HubStatus;
  /** What a plugin's processes use. */
  readonly use: (plugin: PluginEntry) => Promise<PluginStatus["use"]>;
  readonly stop: () => void;
  readonly commands: () => PluginCommands;
  /** Reads the config again. */
  readonly reload: () => Promise<void>;
  /** Absent in a hub that keeps nothing. */
  readonly store?: Store | undefined;
}

/** Answers the operator. Everybody else is told no. */
export class Control {
  readonly #options: ControlOptions;

  constructor(options: ControlOptions) {
    this.#options = options;
  }

  answer(port: Port, call: CallId, message: PluginRequest): void {
    const command = message.request?.$case === "control" ? message.request.value.command : undefined;
    const { requestId } = message;
    if (port.caller.kind !== "operator") {
      const what = `"${port.caller.id}" may not control the hub (default: only the operator's certificate may)`;
      throw new HubError(ErrorCode.PermissionDenied, what);
    }
    const send = (result: NonNullable<ControlResponse["result"]>) =>
      reply(port, call, { requestId }, { $case: "control", value: { result } });
    switch (command?.$case) {
      case "status":
        send({ $case: "status", value: this.#options.status() });
        return;
      case "plugins":
        this.#plugins().then(
          (plugins) => send({ $case: "plugins", value: { plugins } }),
          (reason: unknown) => port.reply(call, errorResponse(210, requestId, HubError.from(reason)), true),
        );
        return;
      case "calls": {
        const { limit, traceId } = command.value;
        send({ $case: "calls", value: { calls: this.#options.calls.latest(limit || 200, traceId) } });
        return;
      }
      case "logs":
        this.#logs(port, call, requestId, command.value);
        return;
      case "stop":
        send({ $case: "done", value: {} });
        this.#options.stop();
        return;
      case "restart":
      case "upgrade":
      case "enable":
      case "reset":
      case "reload":
        this.#carryOut(command).then(
          () => send({ $case: "done", value: {} }),
          (reason: unknown) => port.reply(call, errorResponse(210, requestId, HubError.from(reason)), true),
        );
        return;
      case "events":
        answerEvents(port, call, requestId, command.value, this.#store());
        return;
      case "backup":
        this.#store()
          .backup(command.value.file)
          .then(
            () => send({ $case: "done", value: {} }),
            (reason: unknown) => port.reply(call, errorResponse(210, requestId, HubError.from(reason)), true),
          );
        return;
      default:
        throw new HubError(
          ErrorCode.Unimplemented,
          "This hub does not know that command; is the program newer than the hub?",
        );
    }
  }

  #store(): Store {
    if (this.#options.store !== undefined) return this.#options.store;
    throw new HubError(ErrorCode.Unimplemented, "This hub has no store: it keeps no events and no entries");
  }

  /** What takes a while: the answer comes when it is done. */
  async #carryOut(command: PluginCommand): Promise<void> {
    if (command.$case === "reload") {
      await this.#options.reload();
      return;
    }
    const plugin = this.#find(command.value.plugin);
    const commands = this.#options.commands();
    switch (command.$case) {
      case "restart":
        return await commands.restart(plugin);
      case "upgrade":
        return await commands.restart(plugin, "upgraded by the operator");
      case "enable":
        return await commands.enable(plugin, command.value.enabled);
      case "reset":
        return await commands.reset(plugin);
    }
  }

  async #plugins(): Promise<PluginStatus[]> {
    const entries = this.#options.plugins();
    return await Promise.all(
      entries.map(async (plugin) => ({ ...pluginStatus(plugin), use: await this.#options.use(plugin) })),
    );
  }

  #find(id: string): PluginEntry {
    const plugin = this.#options.plugins().find((entry) => entry.id === id || entry.manifestId === id);
    if (plugin !== undefined) return plugin;
    const known = this.#options.plugins().map((entry) => entry.id);
    throw new HubError(ErrorCode.NotFound, `There is no plugin "${id}". There are: ${known.join(", ") || "none"}`);
  }

  #logs(port: Port, call: CallId, requestId: string, request: { plugin: string; tail: number; follow: boolean }): void {
    const source = request.plugin === "" || request.plugin === "hub" ? request.plugin : this.#find(request.plugin).id;
    const lines = this.#options.log.tail(request.tail || 100, source);
    if (!request.follow) {
      reply(port, call, { requestId }, logBatch(lines));
      return;
    }
    followLog({ port, call, requestId }, this.#options.log, source, lines);
  }
}

function pluginStatus(plugin: PluginEntry): PluginStatus {
  const { state, pid, starts, health, crashes } = plugin.supervised;
  const { offer, manifest } = plugin;
  return {
    id: plugin.id,
    manifestId: plugin.manifestId,
    version: manifest?.version ?? "",
    state: state.name,
    reason: printableLines(describeState(state)),
    pid,
    starts,
    readyAtMs: state.name === "ready" ? state.sinceMs : 0,
    startMs: state.name === "ready" ? state.startMs : 0,
    tools: offer?.tools.map((tool) => tool.name) ?? [],
    prompts: offer?.prompts.map((prompt) => prompt.name) ?? [],
    storage: [...(offer?.storage ?? [])],
    providers: [...(offer?.ai ?? [])],
    callsInFlight: plugin.inFlight.calls,
    callsTotal: plugin.inFlight.total,
    stderrTail:
      state.name === "failed" || state.name === "backoff" ? plugin.supervised.stderrTail(50).map(printable) : [],
    routes: offer?.http.map((route) => plugin.outsideName("http", route)) ?? [],
    enabled: plugin.enabled,
    activation: plugin.config.activation,
    health: health.status === "unknown" ? "" : health.status,
    healthMessage: printable(health.message),
    crashes,
    use: undefined,
    dialect: plugin.config.dialect,
    openCircuits: plugin.circuits.troubles.map(printable),
  };
}
