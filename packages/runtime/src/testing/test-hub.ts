import type {
  CallContext,
  PluginDefinition,
  PluginEvent,
  Prompt,
  StorageProvider,
  StreamingTool,
  ToolOutput,
  UnaryTool,
} from "../definition.ts";
import type { JsonObject } from "../json.ts";
import { MemoryKv } from "./memory-kv.ts";
import { type MemoryStorage, memoryStorage } from "./memory-storage.ts";

/** What the hub of a test offers to the plugin under test. */
export interface TestHubOptions {
  /** Tools of other plugins, by name. */
  readonly tools?: Readonly<
    Record<string, (input: JsonObject, context: CallContext) => ToolOutput | Promise<ToolOutput>>
  >;
  /** Streaming tools of other plugins, by name. */
  readonly streams?: Readonly<
    Record<string, (input: JsonObject, context: CallContext) => ReturnType<StreamingTool["stream"]>>
  >;
  readonly prompts?: Readonly<Record<string, Prompt>>;
  /** By storage type; types that the plugin needs and that are not given are kept in memory. */
  readonly storage?: Readonly<Record<string, StorageProvider>>;
}

/** What the plugin under test did to the hub. */
export interface TestHub {
  /** Its calls of other plugins' tools, in order. */
  readonly toolCalls: readonly { readonly name: string; readonly input: JsonObject; readonly traceParent: string }[];
  /** Events that it published, in order. */
  readonly published: readonly PluginEvent[];
  /** The documents of a storage type that is kept in memory; "markdown" where none is named. */
  storage(type?: string): MemoryStorage;
  /** The entries that it keeps at the hub. */
  readonly kv: MemoryKv;
}

/** The definition that plays the hub, and the record of what it saw. */
export function createTestHub(
  needs: PluginDefinition["needs"],
  options: TestHubOptions,
  onPublished: (event: PluginEvent) => void,
): { definition: PluginDefinition; hub: TestHub } {
  const toolCalls: TestHub["toolCalls"][number][] = [];
  const published: PluginEvent[] = [];
  const memory: Record<string, MemoryStorage> = { markdown: memoryStorage() };
  for (const type of needs?.storage ?? []) memory[type] ??= memoryStorage();
  const tools: Record<string, UnaryTool | StreamingTool> = {};
  for (const [name, run] of Object.entries(options.tools ?? {})) {
    tools[name] = {
      description: name,
      run(input, context) {
        toolCalls.push({ name, input: input as JsonObject, traceParent: context.traceParent });
        return run(input as JsonObject, context);
      },
    };
  }
  for (const [name, stream] of Object.entries(options.streams ?? {})) {
    tools[name] = {
      description: name,
      stream(input, context) {
        toolCalls.push({ name, input: input as JsonObject, traceParent: context.traceParent });
        return stream(input as JsonObject, context);
      },
    };
  }
  const definition: PluginDefinition = {
    id: "test-hub",
    version: "0.0.0",
    tools: tools as NonNullable<PluginDefinition["tools"]>,
    storage: { ...memory, ...options.storage },
    ...(options.prompts && { prompts: options.prompts }),
    onEvent(event) {
      published.push(event);
      onPublished(event);
    },
  };
  const storage = (type = "markdown") => {
    const kept = memory[type];
    if (kept === undefined)
      throw new Error(`Storage type "${type}" is not kept in memory: the plugin does not need it`);
    return kept;
  };
  return { definition, hub: { toolCalls, published, storage, kv: new MemoryKv() } };
}
