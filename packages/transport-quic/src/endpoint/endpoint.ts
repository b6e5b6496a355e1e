import { randomBytes } from "node:crypto";
import type { Socket } from "node:dgram";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { AcceptLink } from "@orchestrator/transport";
import { CALL_WINDOW_BYTES } from "@orchestrator/transport";
import type { Connection } from "../connection/connection.ts";
import { CONNECTION_ID_BYTES, type EngineConfig } from "../engine/engine.ts";
import { QuicLink } from "../link/quic-link.ts";
import type { Settings } from "../options.ts";
import { peerName } from "./identity.ts";

/** TLS alerts "bad certificate" and "no application protocol", as QUIC errors. */
const BAD_CERTIFICATE = 256 + 42;
const NO_APPLICATION_PROTOCOL = 256 + 120;

export function newConnectionId(): Uint8Array {
  return randomBytes(CONNECTION_ID_BYTES);
}

export function engineConfig(settings: Settings, role: "client" | "server", anonymousClients: boolean): EngineConfig {
  return {
    role,
    tls: settings.tls,
    alpn: settings.alpn,
    anonymousClients,
    idleTimeoutMs: settings.idleTimeoutMs,
    maxStreams: settings.maxConcurrentCalls,
    streamWindowBytes: CALL_WINDOW_BYTES,
    maxDatagramBytes: settings.maxDatagramBytes,
  };
}

/**
 * Makes the link of a connection whose handshake is complete, after a last look at the peer.
 * @returns undefined for a peer that was refused
 */
export function makeLink(connection: Connection, settings: Settings, accept: AcceptLink): QuicLink | undefined {
  // A client that offers no protocol at all gets past the TLS library.
  if (connection.engine.alpn !== settings.alpn) {
    const message = `${connection.remoteAddress} does not speak the protocol ${settings.alpn} (ALPN)`;
    connection.fail(new HubError(ErrorCode.FailedPrecondition, message), NO_APPLICATION_PROTOCOL);
    return undefined;
  }
  let peer: string;
  try {
    peer = peerName(connection.engine.peerCertificate);
  } catch (error) {
    connection.fail(HubError.from(error, ErrorCode.Unauthenticated), BAD_CERTIFICATE);
    return undefined;
  }
  const link = new QuicLink(peer, connection, settings);
  link.serve(accept(link));
  return link;
}

/** Closes a socket that may be closed already. */
export function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    try {
      socket.close(() => resolve());
    } catch {
      resolve();
    }
  });
}
