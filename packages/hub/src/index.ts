/** Routes every call between plugins, gateways and services. @module */
export { type CallEntry, CallLog } from "./call-log.ts";
export { type MatchedPath, matchRoute } from "./http-path.ts";
export { httpStatusOf } from "./http-status.ts";
export { Hub, type HubOptions } from "./hub.ts";
export { HubLog, type LogEntry, type LogLevel } from "./hub-log.ts";
export { type Offer, PluginEntry } from "./plugin-entry.ts";
export { LOG_LEVELS, type PluginLogLevel, type PluginLogLine, parseLevel } from "./plugin-logs/log-line.ts";
export type { LogPage, LogQuery } from "./plugin-logs/read-log.ts";
export { CAPABILITIES_TOPIC, PLUGINS_TOPIC } from "./plugin-presence.ts";
export { type Caller, type Decision, decide, type Needs } from "./policy.ts";
export { storeOptions } from "./store-options.ts";
export { discoverPrograms } from "./unix-json/discover-programs.ts";
export { instanceIdFile } from "./unix-json/instance-id.ts";
