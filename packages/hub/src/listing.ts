import {
  ErrorCode,
  errorResponse,
  HubError,
  MAX_FRAME_BYTES,
  PluginResponse,
  type PromptDefinition,
  RequestKind,
  replaceRequestId,
  type ToolDefinition,
} from "@orchestrator/protocol";
import { MAX_NAME_LENGTH } from "./request-names.ts";
import type { Route, Routes } from "./routes.ts";

/** What is left of a frame when the longest request id is in it. */
export const MAX_LIST_BYTES = MAX_FRAME_BYTES - 4 * MAX_NAME_LENGTH;

/**
 * What list_tools and list_prompts answer: known at any time, so a plugin that hangs holds nobody up. Sorted by name, no name
 * twice, encoded once per change; an answer is a copy with the asker's request id in front.
 */
export class Listing {
  readonly #routes: Routes;
  #tools: Uint8Array | HubError | undefined;
  #prompts: Uint8Array | HubError | undefined;

  constructor(routes: Routes) {
    this.#routes = routes;
  }

  /** Something came or went. */
  invalidate(): void {
    this.#tools = undefined;
    this.#prompts = undefined;
  }

  toolsResponse(requestId: string): Uint8Array {
    this.#tools ??= encoded("tools", { $case: "listTools", value: { tools: this.tools() } });
    return answer(this.#tools, RequestKind.ListTools, requestId);
  }

  promptsResponse(requestId: string): Uint8Array {
    this.#prompts ??= encoded("prompts", { $case: "listPrompts", value: { prompts: this.prompts() } });
    return answer(this.#prompts, RequestKind.ListPrompts, requestId);
  }

  tools(): ToolDefinition[] {
    return definitions(this.#routes.tools, "tools");
  }

  prompts(): PromptDefinition[] {
    return definitions(this.#routes.prompts, "prompts");
  }
}

/** The definitions behind the names of plugins that are ready, each under the name that it has outside. */
function definitions<Key extends "tools" | "prompts">(routes: ReadonlyMap<string, Route>, key: Key) {
  type Definition = Key extends "tools" ? ToolDefinition : PromptDefinition;
  const byPlugin = new Map<Route["plugin"], ReadonlyMap<string, Definition>>();
  const list: Definition[] = [];
  for (const [name, { plugin, name: inside }] of routes) {
    if (!plugin.isOffered) continue;
    let offered = byPlugin.get(plugin);
    if (offered === undefined) {
      const all = (plugin.offer?.[key] ?? []) as readonly Definition[];
      offered = new Map(all.map((definition) => [definition.name, definition]));
      byPlugin.set(plugin, offered);
    }
    const definition = offered.get(inside);
    if (definition !== undefined) list.push(name === inside ? definition : { ...definition, name });
  }
  return list.sort(byName);
}

/** The answer without a request id, or why there can be none. */
function encoded(what: string, response: NonNullable<PluginResponse["response"]>): Uint8Array | HubError {
  const bytes = PluginResponse.encode({ requestId: "", response, error: undefined }).finish();
  if (bytes.length <= MAX_LIST_BYTES) return bytes;
  const why = `The ${what} of all plugins are ${bytes.length} bytes, a list may have ${MAX_LIST_BYTES}. Disable a plugin that lists much`;
  return new HubError(ErrorCode.ResourceExhausted, why);
}

function answer(known: Uint8Array | HubError, kind: number, requestId: string): Uint8Array {
  if (known instanceof HubError) return errorResponse(kind, requestId, known);
  return replaceRequestId(known, { requestIdStart: 0, requestIdEnd: 0 }, requestId);
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
