import { PluginResponse, type PromptDefinition, type ToolDefinition } from "@orchestrator/protocol";
import type { CompiledPlugin } from "./compile.ts";

/** The answers that never change, encoded once, without a request id. */
export interface Catalogue {
  readonly tools: Uint8Array;
  readonly prompts: Uint8Array;
}

/** Encodes what a plugin offers. */
export function encodeCatalogue(plugin: CompiledPlugin): Catalogue {
  const encode = (response: PluginResponse["response"]) =>
    PluginResponse.encode({ requestId: "", response, error: undefined }).finish();
  return {
    tools: encode({ $case: "listTools", value: { tools: toolsOf(plugin) } }),
    prompts: encode({ $case: "listPrompts", value: { prompts: promptsOf(plugin) } }),
  };
}

/** Puts a request id in front of an encoded answer: protobuf reads fields in any order, and this is the usual one. */
export function withRequestId(requestId: string, body: Uint8Array): Uint8Array {
  if (requestId === "") return body.slice();
  const head = PluginResponse.encode({ requestId, response: undefined, error: undefined }).finish();
  const joined = new Uint8Array(head.length + body.length);
  joined.set(head);
  joined.set(body, head.length);
  return joined;
}

function toolsOf(plugin: CompiledPlugin): ToolDefinition[] {
  return [...plugin.tools.values()].map(({ name, definition, jsonSchema, streaming }) => ({
    name,
    description: definition.description,
    inputSchema: jsonSchema,
    streaming,
    outputSchema: definition.output,
    title: definition.title ?? "",
    annotations: definition.annotations,
  }));
}

function promptsOf(plugin: CompiledPlugin): PromptDefinition[] {
  return Object.entries(plugin.definition.prompts ?? {}).map(([name, prompt]) => ({
    name,
    description: prompt.description,
    arguments: (prompt.arguments ?? []).map((argument) => ({
      name: argument.name,
      description: argument.description ?? "",
      required: argument.required ?? false,
      suggestions: [...(argument.suggestions ?? [])],
    })),
  }));
}
