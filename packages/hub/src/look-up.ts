import type { CapabilityKind } from "@orchestrator/config";
import { DEFAULT_STORAGE_TYPE, RequestKind, type RequestPeek } from "@orchestrator/protocol";
import type { Route, Routes } from "./routes.ts";

/** What a request asks for: the capability, its name, and who has it, if anybody does. */
export function lookUp(
  routes: Routes,
  peek: RequestPeek,
): { kind: CapabilityKind; name: string; route: Route | undefined } {
  const name = peek.route;
  switch (peek.kind) {
    case RequestKind.PromptGet:
      return { kind: "prompt", name, route: routes.prompt(name) };
    case RequestKind.Http:
      return { kind: "http", name, route: routes.http(name) };
    case RequestKind.ToolCall:
    case RequestKind.StreamStart: {
      if (peek.provider === "") return { kind: "tool", name, route: routes.tool(name) };
      const { route, provider } = routes.providerTool(peek.provider, name);
      return provider === "" ? { kind: "tool", name, route } : { kind: "ai", name: provider, route };
    }
    default: {
      const type = name === "" ? DEFAULT_STORAGE_TYPE : name;
      return { kind: "storage", name: type, route: routes.storage(type) };
    }
  }
}

/** How calls of a kind are called in the call log. */
export const LABELS: Readonly<Record<number, string>> = {
  [RequestKind.ToolCall]: "tool",
  [RequestKind.StreamStart]: "stream",
  [RequestKind.PromptGet]: "prompt",
  [RequestKind.StorageRead]: "storage_read",
  [RequestKind.StorageWrite]: "storage_write",
  [RequestKind.StorageDelete]: "storage_delete",
  [RequestKind.StorageList]: "storage_list",
  [RequestKind.Http]: "http",
};
