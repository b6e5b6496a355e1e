/** Starts, watches, restarts, replaces and stops plugin processes. @module */
export type { Attachment, HealthReport } from "./attachment.ts";
export { Backoff, DEFAULT_RESTART, type RestartPolicy } from "./backoff.ts";
export { DEFAULT_HEALTH, HealthCheck, type HealthPolicy } from "./health-check.ts";
export type { Activity } from "./idle-check.ts";
export type { ProcessLimits } from "./limits/process-limits.ts";
export type { GuardedInstance } from "./orphans/guarded-instance.ts";
export { GUARDIAN_VARIABLE, INSTANCE_VARIABLE, TOKEN_VARIABLE } from "./orphans/hub-mark.ts";
export {
  type GuardedCommand,
  type PreparedCommand,
  ProcessGuard,
  type ProcessGuardOptions,
} from "./orphans/process-guard.ts";
export { type SweepReport, sweepLeftovers } from "./orphans/sweep-leftovers.ts";
export type { PluginEvent, PluginEventType } from "./plugin-event.ts";
export { describeExit, type ExitStatus, type LaunchSpec, PluginProcess, withStderr } from "./plugin-process.ts";
export { describeState, type PluginState, type PluginStateName } from "./plugin-state.ts";
export type { ResourceUse } from "./processes/resource-use.ts";
export { type Round, Rounds } from "./rounds.ts";
export { startInOrder } from "./start-order.ts";
export { startProblem } from "./start-problem.ts";
export { LineSplitter, MAX_LINE_BYTES, STDERR_TAIL_BYTES, StderrTail } from "./stderr-tail.ts";
export { SupervisedPlugin } from "./supervised-plugin.ts";
export type { SupervisedPluginOptions } from "./supervised-plugin-options.ts";
