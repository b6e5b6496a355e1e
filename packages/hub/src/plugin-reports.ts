import { describeState, type PluginEvent, type PluginEventType, type PluginState } from "@orchestrator/supervisor";
import type { HubLog, LogLevel } from "./hub-log.ts";
import type { PluginLogs } from "./plugin-logs/plugin-logs.ts";

/** Of what is told beside the states. */
const LEVELS: Readonly<Partial<Record<PluginEventType, LogLevel>>> = {
  unhealthy: "warn",
  rolled_back: "warn",
  circuit_opened: "warn",
  healthy: "info",
  upgraded: "info",
  reset: "info",
  circuit_closed: "info",
};

/** Tells what plugins write and what becomes of them: in the hub's log, and in the file of each. */
export class PluginReports {
  readonly #log: HubLog;
  readonly #files: PluginLogs;

  constructor(log: HubLog, files: PluginLogs) {
    this.#log = log;
    this.#files = files;
  }

  /** A line that a plugin wrote. */
  output(id: string, line: string, stream: "stdout" | "stderr"): void {
    const level = stream === "stderr" ? "info" : "debug";
    this.#log.write(level, id, line);
    this.#files.write(id, level, line);
  }

  state(id: string, state: PluginState): void {
    const level: LogLevel = state.name === "failed" ? "error" : state.name === "backoff" ? "warn" : "info";
    const [first = "", ...rest] = describeState(state).split("\n");
    const started = state.name === "ready" ? ` after ${Math.round(state.startMs)} ms` : "";
    this.#tell(level, id, `${state.name}${started}${first === "" ? "" : `: ${first}`}`);
    // The plugin's own last words, which its file has already.
    for (const line of rest) this.#log.writeAbout("supervisor", level, id, line);
  }

  /** What else happens is told by the states. */
  event(id: string, event: PluginEvent): void {
    const why = event.details["reason"];
    const level = LEVELS[event.type];
    if (level !== undefined) this.#tell(level, id, `${event.type}${why === undefined ? "" : `: ${why}`}`);
  }

  /** Not counted for the plugin: however much it writes itself, what became of it is told. */
  #tell(level: LogLevel, id: string, text: string): void {
    this.#log.writeAbout("supervisor", level, id, text);
    this.#files.write(id, level, text);
  }
}
