import { PluginRequest, PluginResponse, uuidv7 } from "@orchestrator/protocol";
import type { LinkPeer } from "@orchestrator/transport";

/** Sends one request and decodes the answer. @param options `signal` gives it up */
export async function request(
  peer: LinkPeer,
  member: NonNullable<PluginRequest["request"]>,
  context: Partial<NonNullable<PluginRequest["context"]>> = {},
  options: { readonly signal?: AbortSignal } = {},
): Promise<PluginResponse> {
  const payload = PluginRequest.encode(
    PluginRequest.fromPartial({ requestId: uuidv7(), request: member, context } as Parameters<
      typeof PluginRequest.fromPartial
    >[0]),
  ).finish();
  return PluginResponse.decode(await peer.call(payload, options));
}
