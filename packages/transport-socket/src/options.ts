import type { HubError } from "@orchestrator/protocol";
import type { TlsMaterial } from "@orchestrator/transport";

export interface SocketOptions {
  /** This side's certificate, and the authority that the peer's must come from. */
  readonly tls: TlsMaterial;
  /** Ends listening or connecting. */
  readonly signal?: AbortSignal;
  /** Milliseconds of silence before the peer is asked for a sign of life. Default 10 000 for tls, 0 (never) for unix. */
  readonly keepAliveMs?: number;
  /** How long the TLS handshake may take, in milliseconds. Default 10 000. */
  readonly handshakeTimeoutMs?: number;
}

export interface SocketListenOptions extends SocketOptions {
  /** Hears why a peer was turned away. */
  readonly onRefused?: (reason: HubError, remote: string) => void;
}

export interface SocketDialOptions extends SocketOptions {
  /** Checked against the listener's certificate. Default "localhost", which every leaf carries. */
  readonly serverName?: string;
}

export const HANDSHAKE_MS = 10_000;
/** On another machine a peer can vanish without a sign; on this one the kernel tells. */
export const TLS_KEEP_ALIVE_MS = 10_000;
