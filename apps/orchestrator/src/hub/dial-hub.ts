import { type Authority, openAuthority } from "@orchestrator/identity";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { AcceptLink, Link } from "@orchestrator/transport";
import type { HubState } from "./state-file.ts";

/** A hub on this machine answers within milliseconds; one that has just been started beside many plugins has a lot to do. */
const HANDSHAKE_MS = 10_000;

/**
 * Connects to a running hub under the name of a certificate: by the socket where it has one, which is several times faster
 * and works without QUIC, else by QUIC.
 * @throws {HubError} `UNAVAILABLE` where nobody answers, `UNAUTHENTICATED`, or what the signal means
 */
export async function dialHub(state: HubState, name: string, accept: AcceptLink, signal?: AbortSignal): Promise<Link> {
  const authority: Authority = await openAuthority(state.certsDir);
  const options = {
    tls: await authority.leaf(name),
    handshakeTimeoutMs: HANDSHAKE_MS,
    ...(signal === undefined ? {} : { signal }),
  };
  if (state.socket !== "") {
    const { dialSocket } = await import("@orchestrator/transport-socket");
    return dialSocket(state.socket, options, accept);
  }
  if (state.address === "") throw new HubError(ErrorCode.Unavailable, "The hub listens nowhere");
  // Loaded only where it is used: it brings a native library.
  const { dialQuic } = await import("@orchestrator/transport-quic");
  return dialQuic(state.address, options, accept);
}
