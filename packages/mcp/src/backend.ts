import type { CallSignal } from "./call-signal.ts";
import type { JsonObject, JsonValue } from "./json.ts";

/** The three kinds of things that a server lists. */
export type ListKind = "tools" | "prompts" | "resources";

/** Passed with every question to the backend. */
export interface BackendCall {
  /** Aborts when the client cancels or goes away. The answer is then thrown away. */
  readonly signal: CallSignal;
  /** Names the client's session; changes only when the client starts over. "" where there is none. */
  readonly sessionId: string;
  /** The client's own name for its request, for logs and traces. */
  readonly requestId: string;
}

export interface ToolCall extends BackendCall {
  /** There when the client wants to know how far the work is. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface Progress {
  /** Grows with every report; a report that does not grow is dropped. */
  readonly progress: number;
  /** The value at the end; absent or 0 where it is unknown. */
  readonly total?: number | undefined;
  readonly message?: string | undefined;
}

export interface McpTool {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  /** JSON Schema of type object; whatever else it is, clients get an empty object schema. */
  readonly inputSchema?: JsonObject | undefined;
  /** JSON Schema of type object, where the tool promises one. */
  readonly outputSchema?: JsonObject | undefined;
  /** readOnlyHint, destructiveHint, idempotentHint, openWorldHint. */
  readonly annotations?: JsonObject | undefined;
}

/** How a tool call ended, as far as the tool goes. */
export type ToolOutcome =
  | {
      readonly ok: true;
      /** `text` is what the model reads; `content` may hold ready content blocks; the rest is data. */
      readonly value: JsonObject;
      /** The tool promised an output schema: the whole value is its structured result. */
      readonly promised?: boolean | undefined;
    }
  | {
      readonly ok: false;
      /** The tool's own short code, or "". */
      readonly code: string;
      /** For the model, or "". */
      readonly message: string;
    };

export interface McpPrompt {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly arguments: readonly McpPromptArgument[];
}

export interface McpPromptArgument {
  readonly name: string;
  readonly description?: string | undefined;
  readonly required?: boolean | undefined;
  /** Values worth suggesting, best first. */
  readonly suggestions?: readonly string[] | undefined;
}

export interface McpPromptResult {
  readonly description?: string | undefined;
  readonly messages: readonly { readonly role: "user" | "assistant"; readonly text: string }[];
}

export interface McpResource {
  readonly uri: string;
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly mimeType?: string | undefined;
  /** Bytes. */
  readonly size?: number | undefined;
  /** Epoch milliseconds. */
  readonly modifiedAtMs?: number | undefined;
}

export interface McpResourceTemplate {
  /** RFC 6570, simple expressions only: `orchestra://{project}/features/{id}`. */
  readonly uriTemplate: string;
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly mimeType?: string | undefined;
}

export type McpResourceContents = {
  readonly uri: string;
  readonly mimeType?: string | undefined;
} & ({ readonly text: string } | { /** Base64. */ readonly blob: string });

/** What is being filled in, where it is not a prompt. */
export interface TemplateCompletion {
  readonly uriTemplate: string;
  readonly variable: string;
  /** What was typed so far. */
  readonly value: string;
  /** Variables that are already filled in; has no prototype. */
  readonly resolved: Readonly<Record<string, string>>;
}

/** The eight severities, least first. */
export type LogLevel = "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";

export interface LogEntry {
  readonly level: LogLevel;
  /** Who says it. */
  readonly logger: string;
  readonly data: JsonValue;
}

/**
 * What stands behind a Model Context Protocol server. Failures are thrown as HubError: INVALID_ARGUMENT and NOT_FOUND come out
 * as invalid parameters, anything else as an internal error with the code beside it. Lists need no order.
 */
export interface McpBackend {
  listTools(call: BackendCall): Promise<readonly McpTool[]>;
  /** @throws {HubError} `NOT_FOUND` for a tool that nobody has; `INVALID_ARGUMENT` reaches the model as a failure of the tool */
  callTool(name: string, input: JsonObject, call: ToolCall): Promise<ToolOutcome>;
  listPrompts(call: BackendCall): Promise<readonly McpPrompt[]>;
  getPrompt(name: string, input: Readonly<Record<string, string>>, call: BackendCall): Promise<McpPromptResult>;
  listResources(call: BackendCall): Promise<readonly McpResource[]>;
  listResourceTemplates(call: BackendCall): Promise<readonly McpResourceTemplate[]>;
  /** @returns undefined where there is no such resource @throws {HubError} `INVALID_ARGUMENT` for a URI that can name none */
  readResource(uri: string, call: BackendCall): Promise<readonly McpResourceContents[] | undefined>;
  /** Every value that fits; the engine picks those that begin with or contain what was typed. */
  completeTemplate(completion: TemplateCompletion, call: BackendCall): Promise<readonly string[]>;
  /** Calls `listener` whenever a list may have changed. @returns how to stop */
  onListChanged(listener: (kind: ListKind) => void): () => void;
  /** Calls `listener` with what the operator should know: lost connections, crashed plugins. @returns how to stop */
  onLog(listener: (entry: LogEntry) => void): () => void;
}
