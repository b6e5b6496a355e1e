import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { HubClient } from "./hub-client.ts";
import type { JsonObject, JsonSchema } from "./json.ts";

/** Any Standard Schema (zod, valibot …), or a plain JSON Schema. */
export type InputSchema = StandardSchemaV1 | JsonSchema;

/** What the handler receives for a schema. */
export type InputOf<S> = S extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<S> : JsonObject;

/** What a tool may return: text, or an object; `text` in the object is what MCP clients show. */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler without a return statement is welcome
export type ToolOutput = string | JsonObject | void;

/** Everything a handler may need besides its arguments. */
export interface CallContext {
  /** Calls into the hub on behalf of this call: they carry its deadline, trace and cancellation. */
  readonly hub: HubClient;
  /** Aborts when the caller cancels, the deadline passes, or the plugin stops. */
  readonly signal: AbortSignal;
  /** The verified caller, or "" under a host that does not say. */
  readonly caller: string;
  /** The MCP session, or "". */
  readonly sessionId: string;
  /** The AI provider that was asked for, or "". */
  readonly provider: string;
  /** Epoch milliseconds at which the answer is worthless; `Infinity` under a host that sets no deadline. */
  readonly deadlineMs: number;
  /** W3C trace context of this call, or "". */
  readonly traceParent: string;
  /** Tells the caller how far the work is, where the caller wants to know. */
  progress(progress: number, total?: number, message?: string): void;
}

export interface ToolOptions<S extends InputSchema> {
  readonly description: string;
  readonly title?: string;
  /** Checked before the handler runs. Without it the tool takes an object with whatever keys. */
  readonly input?: S;
  /** What `list_tools` shows for `input`. Needed only for schema libraries that cannot produce JSON Schema themselves. */
  readonly inputJsonSchema?: JsonSchema;
  /** JSON Schema of the result, where the tool promises one. */
  readonly output?: JsonSchema;
  /** MCP hints: readOnlyHint, destructiveHint, idempotentHint, openWorldHint. */
  readonly annotations?: JsonObject;
}

/** A tool with one answer. Throw a `ToolError` for a failure the model should see. */
export interface UnaryTool<S extends InputSchema = InputSchema> extends ToolOptions<S> {
  run(input: InputOf<S>, context: CallContext): ToolOutput | Promise<ToolOutput>;
}

/** A tool whose output comes in pieces. Leaving the generator early (the signal aborts) ends the stream. */
export interface StreamingTool<S extends InputSchema = InputSchema> extends ToolOptions<S> {
  stream(input: InputOf<S>, context: CallContext): AsyncIterable<Uint8Array | string | JsonObject>;
}

export interface PromptArgument {
  readonly name: string;
  readonly description?: string;
  readonly required?: boolean;
  /** Values worth suggesting. */
  readonly suggestions?: readonly string[];
}

export interface PromptMessage {
  readonly role: "user" | "assistant";
  readonly text: string;
}

export interface Prompt {
  readonly description: string;
  readonly arguments?: readonly PromptArgument[];
  get(
    args: Record<string, string>,
    context: CallContext,
  ): string | readonly PromptMessage[] | Promise<string | readonly PromptMessage[]>;
}

/** A stored document. */
export interface StoredDocument {
  readonly content: Uint8Array;
  /** Front matter; absent where there is none. */
  readonly metadata: JsonObject | undefined;
  /** Counts writes, from 1; 0 where it was never counted. */
  readonly version: number;
}

export interface StorageWrite {
  readonly path: string;
  readonly content: Uint8Array;
  readonly metadata: JsonObject | undefined;
  /** 0 create, N > 0 update at exactly that version, -1 whatever is there. */
  readonly expectedVersion: number;
}

export interface StoredEntry {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly version: number;
  /** Epoch milliseconds. */
  readonly modifiedAtMs: number;
}

/** Serves one storage type. Failures are thrown as HubError; their text travels where the protocol has room for it. */
export interface StorageProvider {
  /** @returns undefined where there is no such document */
  read(path: string, context: CallContext): Promise<StoredDocument | undefined>;
  /** @returns the new version */
  write(write: StorageWrite, context: CallContext): Promise<number>;
  /** @returns false where there was nothing to delete */
  delete(path: string, context: CallContext): Promise<boolean>;
  list(prefix: string, pattern: string, context: CallContext): Promise<readonly StoredEntry[]>;
}

export interface PluginEvent {
  readonly topic: string;
  readonly type: string;
  readonly payload: JsonObject | undefined;
  /** The verified publisher. */
  readonly source: string;
  /** Epoch milliseconds, or 0 where the host does not say. */
  readonly timestampMs: number;
  readonly subscriptionId: string;
}

export interface Health {
  readonly status: "healthy" | "degraded" | "unhealthy";
  readonly message?: string;
  readonly details?: Record<string, string>;
}

/** What a plugin is. Only `id` and `version` are required. */
export interface PluginDefinition {
  readonly id: string;
  readonly version: string;
  readonly description?: string;
  readonly author?: string;
  readonly tools?: Readonly<Record<string, UnaryTool<never> | StreamingTool<never>>>;
  readonly prompts?: Readonly<Record<string, Prompt>>;
  /** By storage type. */
  readonly storage?: Readonly<Record<string, StorageProvider>>;
  readonly provides?: {
    readonly ai?: readonly string[];
    readonly events?: readonly string[];
    readonly transport?: readonly string[];
  };
  readonly needs?: {
    readonly storage?: readonly string[];
    /** Tool names, or "*" for any. */
    readonly tools?: readonly string[];
    readonly ai?: readonly string[];
    /** Topics that it is subscribed to; `onEvent` hears them. */
    readonly events?: readonly string[];
  };
  /** Extra command line flags, for example `{ workspace: "." }`: name → default. Values arrive in `setup`. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Runs before READY: open files, read flags. A throw ends the process with its message and exit code 1. */
  setup?(flags: Readonly<Record<string, string>>): void | Promise<void>;
  /**
   * Runs on boot, with the operator's config; may come again. A throw refuses the boot, and the operator sees its message.
   * `orchestra serve` style hosts never boot a plugin.
   */
  boot?(config: Readonly<Record<string, string>>, hub: HubClient): void | Promise<void>;
  onEvent?(event: PluginEvent, hub: HubClient): void | Promise<void>;
  health?(): Health | Promise<Health>;
  /** Runs once, on shutdown or on the way out. New calls are refused by then, and those under way are over or aborted. */
  shutdown?(): void | Promise<void>;
}

/** Type helper: a tool whose input type follows from its schema. */
export function tool<S extends InputSchema = JsonSchema>(definition: UnaryTool<S>): UnaryTool<never>;
export function tool<S extends InputSchema = JsonSchema>(definition: StreamingTool<S>): StreamingTool<never>;
export function tool(definition: unknown): unknown {
  return definition;
}

/** Thrown by a tool to report a failure under a code of its own; anything else that is thrown becomes `handler_error`. */
export class ToolError extends Error {
  override readonly name = "ToolError";
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
