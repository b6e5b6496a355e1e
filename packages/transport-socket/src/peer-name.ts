import type { TLSSocket } from "node:tls";

/** The common name of a verified certificate. */
export function peerName(socket: TLSSocket): string {
  const name = socket.getPeerCertificate().subject?.CN;
  return Array.isArray(name) ? String(name[0]) : String(name ?? "");
}
