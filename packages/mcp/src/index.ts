/** The Model Context Protocol, server side: one session per client, one backend behind it, any carrier. @module */
export type {
  BackendCall,
  ListKind,
  LogEntry,
  LogLevel,
  McpBackend,
  McpPrompt,
  McpPromptArgument,
  McpPromptResult,
  McpResource,
  McpResourceContents,
  McpResourceTemplate,
  McpTool,
  Progress,
  TemplateCompletion,
  ToolCall,
  ToolOutcome,
} from "./backend.ts";
export type { CallSignal } from "./call-signal.ts";
export type { ServerInfo } from "./initialize.ts";
export type { JsonObject, JsonValue } from "./json.ts";
export type { RequestId } from "./jsonrpc.ts";
export { DEFAULT_LIMITS, type Limits } from "./limits.ts";
export type { Schedule } from "./list-changes.ts";
export { isLogLevel } from "./log-level.ts";
export type { McpSession, McpSessionOptions } from "./options.ts";
export { PROTOCOL_VERSIONS } from "./revision.ts";
export { RpcCode } from "./rpc-error.ts";
export { createMcpSession } from "./session.ts";
