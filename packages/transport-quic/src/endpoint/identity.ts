import { X509Certificate } from "node:crypto";
import { ErrorCode, HubError } from "@orchestrator/protocol";

/**
 * The common name of a certificate that the handshake has verified. @param der undefined for a peer that presented none
 * @throws {HubError} `UNAUTHENTICATED` for a certificate without one unmistakable common name
 */
export function peerName(der: Uint8Array | undefined): string {
  if (der === undefined) return "";
  const names = new X509Certificate(der).subject.split("\n").filter((line) => line.startsWith("CN="));
  const name = names[0]?.slice(3) ?? "";
  if (names.length === 1 && name !== "") return name;
  throw new HubError(ErrorCode.Unauthenticated, "The peer's certificate has no common name, or more than one");
}
