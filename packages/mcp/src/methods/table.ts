import type { Method } from "../context.ts";
import { complete } from "./completion.ts";
import { getPrompt, listPrompts } from "./prompts.ts";
import { listResources, listResourceTemplates, readResource } from "./resources.ts";
import { callTool, listTools } from "./tools.ts";

/** The methods that need no more than their parameters and a context. A Map: a client chooses the key. */
export const METHODS: ReadonlyMap<string, Method> = new Map([
  ["tools/list", listTools],
  ["tools/call", callTool],
  ["prompts/list", listPrompts],
  ["prompts/get", getPrompt],
  ["resources/list", listResources],
  ["resources/read", readResource],
  ["resources/templates/list", listResourceTemplates],
  ["completion/complete", complete],
]);
