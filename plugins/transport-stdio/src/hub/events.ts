import {
  ErrorCode,
  errorResponse,
  HubError,
  PluginRequest,
  PluginResponse,
  type Publish,
} from "@orchestrator/protocol";
import type { IncomingCall, LinkPeer } from "@orchestrator/transport";
import { ask } from "./ask.ts";

/** Published by the hub whenever tools or prompts come or go. */
export const CAPABILITIES_TOPIC = "orchestrator.capabilities";
/** Published by the hub at every change of a plugin's state. */
export const PLUGINS_TOPIC = "orchestrator.plugins";

const SUBSCRIBE_TIMEOUT_MS = 10_000;

/**
 * Asks the hub to deliver its own events on this link.
 * @throws {HubError} a host that has no such events refuses; one that cannot deliver them here says nothing
 */
export async function subscribe(peer: LinkPeer, topic: string): Promise<void> {
  const value = { subscriptionId: topic, topic, filters: {} };
  const request = { $case: "subscribe", value } as const;
  const response = await ask(peer, { requestId: `stdio-sub-${topic}`, request, timeoutMs: SUBSCRIBE_TIMEOUT_MS });
  if (response.response === undefined && response.error === undefined) return;
  throw new HubError(ErrorCode.Unimplemented, response.error?.message ?? `The hub does not publish "${topic}"`);
}

/** Answers what the hub sends: events are acknowledged and passed on, everything else is refused. */
export function serveEvents(onEvent: (event: Publish) => void): (call: IncomingCall) => void {
  return (call) => {
    let message: PluginRequest;
    try {
      message = PluginRequest.decode(call.payload);
    } catch {
      call.cancel();
      return;
    }
    const { requestId, request } = message;
    if (request?.$case === "publish") {
      void call.reply(PluginResponse.encode(PluginResponse.fromPartial({ requestId })).finish());
      onEvent(request.value);
      return;
    }
    const error = new HubError(ErrorCode.Unimplemented, "This gateway serves nothing but events");
    void call.reply(errorResponse(0, requestId, error, { legacyCode: "unknown_request" }));
  };
}
