import { PluginRequest, peekRequest, RequestKind } from "@orchestrator/protocol";
import type { CallId, Link, LinkHandler } from "@orchestrator/transport";
import type { MemoryKv } from "./memory-kv.ts";

/** Lets a test's hub answer what no plugin can: questions about entries. Everything else goes to `serving`. */
export function withKv(link: Link, serving: LinkHandler, kv: MemoryKv): LinkHandler {
  const watches = new Set<CallId>();
  return {
    ...serving,
    request(call, payload, last) {
      const request = kvQuestion(payload);
      if (request?.request?.$case !== "kv") return serving.request(call, payload, last);
      if (!last) link.credit(call, payload.byteLength);
      if (request.request.value.operation?.$case === "watch") watches.add(call);
      kv.answer(link, call, request.requestId, request.request.value);
    },
    cancelled(call, error) {
      if (watches.delete(call)) kv.cancelled(call);
      else serving.cancelled(call, error);
    },
  };
}

function kvQuestion(payload: Uint8Array): PluginRequest | undefined {
  try {
    return peekRequest(payload).kind === RequestKind.Kv ? PluginRequest.decode(payload) : undefined;
  } catch {
    return undefined;
  }
}
