import type { TlsMaterial } from "@orchestrator/transport";
import { dialQuic } from "@orchestrator/transport-quic";
import type { Connect } from "./hub-connection.ts";

/** A local hub answers within milliseconds, so a client need not wait long to learn that there is none. */
const HANDSHAKE_TIMEOUT_MS = 5_000;

/** Reaches a hub over QUIC. */
export function quicConnect(address: string, tls: TlsMaterial | (() => Promise<TlsMaterial>)): Connect {
  return async (accept, signal) => {
    const material = typeof tls === "function" ? await tls() : tls;
    return dialQuic(address, { tls: material, signal, handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS }, accept);
  };
}
