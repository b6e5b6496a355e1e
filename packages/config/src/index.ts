/** Reads `plugins.yaml`, the environment and flags into one resolved configuration. One schema drives all of it. @module */
export { isHttpRoute, matchesCapability, matchesName, parseCapability } from "./capability.ts";
export { type ConfigDiagnostic, configError, formatDiagnostic } from "./diagnostics.ts";
export { configTable } from "./docs-table.ts";
export { foundPlugin } from "./found-plugin.ts";
export { configJsonSchema } from "./json-schema.ts";
export { DEFAULT_CONFIG_FILE, loadConfig } from "./load.ts";
export { COMMAND_LINE } from "./overrides.ts";
export { type ParsedConfig, type ParseOptions, parseConfig, requireConfig } from "./parse.ts";
export type {
  CapabilityAlias,
  CapabilityKind,
  CapabilityPattern,
  CircuitConfig,
  HealthConfig,
  HubConfig,
  LimitsConfig,
  LogConfig,
  NotifyConfig,
  PluginConfig,
  PolicyRule,
  StoreConfig,
  TcpConfig,
} from "./types.ts";
