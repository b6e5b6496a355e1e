import { PluginResponse, type PromptDefinition, replaceRequestId, type ToolDefinition } from "@orchestrator/protocol";
import type { Routes } from "./routes.ts";

/**
 * What list_tools and list_prompts answer: known at any time, so a plugin that hangs holds nobody up. Sorted by name, no name
 * twice, encoded once per change; an answer is a copy with the asker's request id in front.
 */
export class Listing {
  readonly #routes: Routes;
  #tools: Uint8Array | undefined;
  #prompts: Uint8Array | undefined;

  constructor(routes: Routes) {
    this.#routes = routes;
  }

  /** Something came or went. */
  invalidate(): void {
    this.#tools = undefined;
    this.#prompts = undefined;
  }

  toolsResponse(requestId: string): Uint8Array {
    this.#tools ??= PluginResponse.encode({
      requestId: "",
      response: { $case: "listTools", value: { tools: this.tools() } },
      error: undefined,
    }).finish();
    return withRequestId(this.#tools, requestId);
  }

  promptsResponse(requestId: string): Uint8Array {
    this.#prompts ??= PluginResponse.encode({
      requestId: "",
      response: { $case: "listPrompts", value: { prompts: this.prompts() } },
      error: undefined,
    }).finish();
    return withRequestId(this.#prompts, requestId);
  }

  tools(): ToolDefinition[] {
    const tools: ToolDefinition[] = [];
    for (const [name, { plugin, name: inside }] of this.#routes.tools) {
      const definition = plugin.isReady ? plugin.offer?.tools.find((tool) => tool.name === inside) : undefined;
      if (definition !== undefined) tools.push(name === inside ? definition : { ...definition, name });
    }
    return tools.sort(byName);
  }

  prompts(): PromptDefinition[] {
    const prompts: PromptDefinition[] = [];
    for (const [name, { plugin, name: inside }] of this.#routes.prompts) {
      const definition = plugin.isReady ? plugin.offer?.prompts.find((prompt) => prompt.name === inside) : undefined;
      if (definition !== undefined) prompts.push(name === inside ? definition : { ...definition, name });
    }
    return prompts.sort(byName);
  }
}

function withRequestId(response: Uint8Array, requestId: string): Uint8Array {
  return replaceRequestId(response, { requestIdStart: 0, requestIdEnd: 0 }, requestId);
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
