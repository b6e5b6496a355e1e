/** Starts, watches, restarts and stops plugin processes. @module */
export type { Attachment, HealthReport } from "./attachment.ts";
export { Backoff, DEFAULT_RESTART, type RestartPolicy } from "./backoff.ts";
export { describeExit, type ExitStatus, type LaunchSpec, PluginProcess, withStderr } from "./plugin-process.ts";
export { describeState, type PluginState, type PluginStateName } from "./plugin-state.ts";
export { startInOrder } from "./start-order.ts";
export { LineSplitter, MAX_LINE_BYTES, STDERR_TAIL_BYTES, StderrTail } from "./stderr-tail.ts";
export { SupervisedPlugin, type SupervisedPluginOptions } from "./supervised-plugin.ts";
