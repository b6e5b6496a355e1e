import type { HubError } from "@orchestrator/protocol";
import type { Health, PluginEvent, PromptArgument, StoredDocument, StoredEntry } from "./definition.ts";
import type { JsonObject, JsonSchema } from "./json.ts";
import type { KvClient } from "./kv-client.ts";

export interface CallOptions {
  /** Shrinks the deadline; never extends that of the call being served. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface ToolCallOptions extends CallOptions {
  readonly provider?: string;
  readonly sessionId?: string;
  readonly onProgress?: (progress: number, total: number, message: string) => void;
}

/** What the hub offers to a plugin. Every method rejects with a HubError whose code says why. */
export interface HubClient {
  /** @throws {HubError} the tool's own failure has `cause` = ToolFailure with the tool's error code */
  callTool(name: string, input?: JsonObject, options?: ToolCallOptions): Promise<JsonObject>;
  /** Pieces of a streaming tool's output, in order. Breaking out of the loop cancels the tool. */
  streamTool(name: string, input?: JsonObject, options?: ToolCallOptions): AsyncIterable<Uint8Array>;
  listTools(options?: CallOptions): Promise<readonly ToolInfo[]>;
  listPrompts(options?: CallOptions): Promise<readonly PromptInfo[]>;
  getPrompt(name: string, args?: Record<string, string>, options?: CallOptions): Promise<PromptResult>;
  /** The client of one storage type; "markdown" where none is named. */
  storage(type?: string): StorageClient;
  /** Entries that the hub keeps for this plugin alone. */
  readonly kv: KvClient;
  publish(topic: string, type: string, payload?: JsonObject, options?: CallOptions): Promise<void>;
  /** Calls `listener` for each matching event until the returned function is called. Survives a reconnect. */
  subscribe(
    topic: string,
    listener: (event: PluginEvent) => void,
    filters?: Record<string, string>,
  ): Promise<() => Promise<void>>;
  health(options?: CallOptions): Promise<Health>;
}

export interface StorageClient {
  /** @returns undefined where there is no such document (a dead storage plugin rejects instead) */
  read(path: string, options?: CallOptions): Promise<StoredDocument | undefined>;
  /** @returns the new version @throws {HubError} FAILED_PRECONDITION on a version conflict, ALREADY_EXISTS on create */
  write(
    path: string,
    content: Uint8Array | string,
    options?: CallOptions & { metadata?: JsonObject; expectedVersion?: number },
  ): Promise<number>;
  delete(path: string, options?: CallOptions): Promise<boolean>;
  list(prefix?: string, pattern?: string, options?: CallOptions): Promise<readonly StoredEntry[]>;
}

export interface ToolInfo {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: JsonSchema | undefined;
  readonly outputSchema: JsonSchema | undefined;
  readonly annotations: JsonObject | undefined;
  readonly streaming: boolean;
}

export interface PromptInfo {
  readonly name: string;
  readonly description: string;
  readonly arguments: readonly PromptArgument[];
}

export interface PromptResult {
  readonly description: string;
  readonly messages: readonly { readonly role: string; readonly type: string; readonly text: string }[];
}

/** The failure that a tool itself reported, as `cause` of the HubError. */
export interface ToolFailure {
  readonly errorCode: string;
  readonly errorMessage: string;
}

/** What the tool itself said, where an error from `callTool` is the tool's own failure. */
export function isToolFailure(error: HubError): ToolFailure | undefined {
  const cause = error.cause as Partial<ToolFailure> | undefined;
  return typeof cause?.errorCode === "string" ? (cause as ToolFailure) : undefined;
}
