import { PluginRequest, peekRequest, spliceRequest } from "@orchestrator/protocol";

/** What the hub does with every call: look, decide, stamp, forward. */
export function forward(received: Uint8Array, verifiedCaller: string, mayCall: (tool: string) => boolean): Uint8Array {
  const peek = peekRequest(received);
  if (!mayCall(peek.route)) throw new Error(`"${verifiedCaller}" may not call "${peek.route}"`);
  return spliceRequest(received, peek, { caller: verifiedCaller, context: { timeoutMs: 30_000 } });
}

const call = { toolName: "echo", arguments: { text: "hello" }, callerPlugin: "somebody.else" };
export const question = PluginRequest.encode(
  PluginRequest.fromPartial({ requestId: "r1", request: { $case: "toolCall", value: call } }),
).finish();
