/** What can happen to a plugin. The names are kept in stores and read by programs: they only ever get more. */
export type PluginEventType =
  | "started"
  | "ready"
  | "crashed"
  | "backoff"
  | "failed"
  | "stopped"
  | "disabled"
  | "enabled"
  | "unhealthy"
  | "healthy"
  | "upgraded"
  | "rolled_back"
  | "reset"
  | "circuit_opened"
  | "circuit_closed";

/** One thing that happened to a plugin, for the log, the store and whoever listens. */
export interface PluginEvent {
  /** The id in the config. */
  readonly plugin: string;
  readonly type: PluginEventType;
  /** Plain values that belong to it: `reason`, in one line, wherever there is one; `lastWords` of a plugin that crashed. */
  readonly details: Readonly<Record<string, string | number | boolean>>;
}
