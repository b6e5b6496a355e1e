import { ErrorCode, HubError, PROTOCOL_ALPN } from "@orchestrator/protocol";
import type { TlsMaterial } from "@orchestrator/transport";

interface CommonOptions {
  readonly tls: TlsMaterial;
  /** Default "orchestra-plugin". A peer that does not speak it is refused. */
  readonly alpn?: string;
  /** Without any sign of life for this long the link is lost; the smaller figure of both sides counts. Default 30 000. */
  readonly idleTimeoutMs?: number;
  /** A silent peer is asked for a sign of life this often. Default 10 000, at most a third of the idle timeout. */
  readonly keepAliveMs?: number;
  /** Calls that the peer may have open at once; it waits with the others. Default 1 000. */
  readonly maxConcurrentCalls?: number;
  /** Longest handshake. Default 10 000. */
  readonly handshakeTimeoutMs?: number;
  /** How long a peer may leave its direction of an answered call open before it is closed for it. Default 2 000. */
  readonly lingerMs?: number;
  /**
   * Largest UDP payload, 1 200 to 65 527; the smaller figure of both sides counts. Default 16 000 on a loopback address, where
   * it makes bulk data five times faster, else 1 350, which every network carries.
   */
  readonly maxDatagramBytes?: number;
  /** Aborts what is under way: a dial that is not finished, or the listener with all its links. */
  readonly signal?: AbortSignal;
}

/** With an empty certificate and an empty key in `tls` this side stays anonymous; only few servers allow that. */
export interface QuicDialOptions extends CommonOptions {
  /** The name that the server's certificate must carry. Default "localhost", which all certificates of an authority have. */
  readonly serverName?: string;
}

export interface QuicListenOptions extends CommonOptions {
  /**
   * "require" (the default) refuses peers without a certificate of this authority. "allow-anonymous" also serves those that
   * have none at all, with "" for their name; one that is wrong is still refused.
   */
  readonly clientCertificates?: "require" | "allow-anonymous";
  /** Told of every peer that was turned away: the reason, and the address it came from. */
  readonly onRefused?: (reason: HubError, remote: string) => void;
}

/** The options with every default filled in. */
export interface Settings {
  readonly tls: TlsMaterial;
  readonly alpn: string;
  readonly idleTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly maxConcurrentCalls: number;
  readonly handshakeTimeoutMs: number;
  readonly lingerMs: number;
  readonly maxDatagramBytes: number;
}

/** @throws {HubError} `INVALID_ARGUMENT` for a figure that makes no sense */
export function settingsOf(options: CommonOptions, host: string): Settings {
  const idleTimeoutMs = whole("idleTimeoutMs", options.idleTimeoutMs ?? 30_000, 1, 2 ** 31 - 1);
  return {
    tls: options.tls,
    alpn: options.alpn ?? PROTOCOL_ALPN,
    idleTimeoutMs,
    keepAliveMs: Math.min(
      whole("keepAliveMs", options.keepAliveMs ?? 10_000, 1, 2 ** 31 - 1),
      Math.ceil(idleTimeoutMs / 3),
    ),
    maxConcurrentCalls: whole("maxConcurrentCalls", options.maxConcurrentCalls ?? 1_000, 1, 2 ** 31 - 1),
    handshakeTimeoutMs: whole("handshakeTimeoutMs", options.handshakeTimeoutMs ?? 10_000, 1, 2 ** 31 - 1),
    lingerMs: whole("lingerMs", options.lingerMs ?? 2_000, 0, 2 ** 31 - 1),
    maxDatagramBytes: whole("maxDatagramBytes", options.maxDatagramBytes ?? defaultDatagramBytes(host), 1_200, 65_527),
  };
}

function defaultDatagramBytes(host: string): number {
  return host.startsWith("127.") || host === "::1" ? 16_000 : 1_350;
}

function whole(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new HubError(ErrorCode.InvalidArgument, `${name} must be a whole number from ${min} to ${max}, not ${value}`);
}
