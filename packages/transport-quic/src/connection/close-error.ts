import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { CloseReason } from "../engine/engine.ts";

/** TLS alerts arrive as transport error 256 + alert. */
const ALERT_BASE = 256;

const ALERTS: Readonly<Record<number, string>> = {
  40: "the handshake failed: no certificate or algorithm in common",
  42: "the certificate is bad or carries the wrong name",
  43: "the certificate is of an unsupported kind",
  44: "the certificate is revoked",
  45: "the certificate has expired or is not valid yet",
  46: "the certificate is not acceptable",
  48: "the certificate was not issued by the authority that is expected",
  49: "access was denied",
  51: "a signature does not fit its certificate",
  116: "a certificate is required and none was presented",
};
const NO_APPLICATION_PROTOCOL = 120;

/** What ended a connection; undefined after a graceful close. */
export function closeError(reason: CloseReason | undefined, remote: string, wasLink: boolean): HubError | undefined {
  if (reason === undefined) return new HubError(ErrorCode.Unavailable, `The connection with ${remote} ended`);
  if (reason.application) {
    if (reason.code === 0 && wasLink) return undefined;
    const text = reason.text === "" ? "" : `: ${reason.text}`;
    return new HubError(ErrorCode.Unavailable, `${remote} closed the connection (code ${reason.code})${text}`);
  }
  const alert = reason.code - ALERT_BASE;
  const who = reason.by === "peer" ? `${remote} refused the connection` : `The connection with ${remote} was refused`;
  if (alert === NO_APPLICATION_PROTOCOL) {
    return new HubError(ErrorCode.FailedPrecondition, `${who}: the two sides speak different protocols (ALPN)`);
  }
  if (alert >= 0 && alert < 256) {
    const what = ALERTS[alert] ?? `TLS alert ${alert}`;
    return new HubError(ErrorCode.Unauthenticated, `${who}: ${what}`);
  }
  // quic-go and others also close gracefully with the transport's "no error".
  if (reason.code === 0 && wasLink) return undefined;
  return new HubError(ErrorCode.Unavailable, `${who}: QUIC error ${reason.code}${reason.text && `, ${reason.text}`}`);
}

export function handshakeTimedOut(remote: string): HubError {
  return new HubError(ErrorCode.Unavailable, `${remote} did not complete the handshake in time`);
}

export function idleTimedOut(remote: string): HubError {
  return new HubError(ErrorCode.Unavailable, `${remote} gave no sign of life for too long`);
}
