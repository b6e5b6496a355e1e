/** Write a plugin: `definePlugin({ id, version, tools, … }).serve()`. @module */
export { definePlugin, type Plugin, type ServeOptions } from "./define-plugin.ts";
export type {
  CallContext,
  Health,
  InputOf,
  InputSchema,
  PluginDefinition,
  PluginEvent,
  Prompt,
  PromptArgument,
  PromptMessage,
  StorageProvider,
  StorageWrite,
  StoredDocument,
  StoredEntry,
  StreamingTool,
  ToolOptions,
  ToolOutput,
  UnaryTool,
} from "./definition.ts";
export { ToolError, tool } from "./definition.ts";
export type {
  CallOptions,
  HubClient,
  PromptInfo,
  PromptResult,
  StorageClient,
  ToolCallOptions,
  ToolFailure,
  ToolInfo,
} from "./hub-client.ts";
export { isToolFailure } from "./hub-client.ts";
export type { JsonObject, JsonSchema, JsonValue } from "./json.ts";
export type {
  KvChange,
  KvClient,
  KvDeleteOptions,
  KvEntry,
  KvListOptions,
  KvPage,
  KvSetOptions,
  KvWatchOptions,
} from "./kv-client.ts";
export type { Log, LogFields } from "./log.ts";
export { log } from "./process/stderr.ts";
