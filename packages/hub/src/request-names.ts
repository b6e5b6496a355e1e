import { PluginRequest, type RequestPeek } from "@orchestrator/protocol";

/** Names and ids are held in tables and come back in errors, so they may not be as long as a message. */
export const MAX_NAME_LENGTH = 1_024;

/** What of a request is too long to be a name, if anything is. */
export function longName(peek: RequestPeek): string | undefined {
  if (peek.requestIdEnd - peek.requestIdStart > MAX_NAME_LENGTH) return "The request_id";
  if (peek.routeEnd - peek.routeStart > MAX_NAME_LENGTH) return "The name";
  if (peek.provider.length > MAX_NAME_LENGTH) return "The provider";
  if (peek.streamId.length > MAX_NAME_LENGTH) return "The stream_id";
  return peek.subscriptionId.length > MAX_NAME_LENGTH ? "The subscription_id" : undefined;
}

/** An alias of the config: the plugin gets the name that it knows. The one case in which a request is decoded on its way. */
export function renamed(bytes: Uint8Array, inside: string): Uint8Array {
  const message = PluginRequest.decode(bytes);
  const request = message.request;
  if (request?.$case === "toolCall" || request?.$case === "streamStart") request.value.toolName = inside;
  else if (request?.$case === "promptGet") request.value.promptName = inside;
  else if (request?.$case === "http") request.value.route = inside;
  else if (request !== undefined && "value" in request && "storageType" in request.value)
    request.value.storageType = inside;
  return PluginRequest.encode(message).finish();
}
