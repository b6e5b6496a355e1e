import { Socket } from "node:net";
import { connect } from "node:tls";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { type AcceptLink, abortError, type Link } from "@orchestrator/transport";
import { parseSocketAddress } from "./address.ts";
import { peerName } from "./listen.ts";
import { HANDSHAKE_MS, type SocketDialOptions, TLS_KEEP_ALIVE_MS } from "./options.ts";
import { SocketLink } from "./socket-link.ts";

/**
 * Connects to `unix:/path` or `tls:host:port` with mutual TLS 1.3.
 * @throws {HubError} `UNAVAILABLE` when nobody listens, `UNAUTHENTICATED` when a certificate is refused, or what the signal means
 */
export async function dialSocket(address: string, options: SocketDialOptions, accept: AcceptLink): Promise<Link> {
  const { signal, tls } = options;
  if (signal?.aborted) throw abortError(signal.reason);
  const where = parseSocketAddress(address);
  const socket = connect({
    ...(where.carrier === "unix" ? { path: where.path } : { host: where.host, port: where.port }),
    cert: tls.certPem,
    key: tls.keyPem,
    ca: tls.caPem,
    minVersion: "TLSv1.3",
    servername: options.serverName ?? "localhost",
  });
  socket.setNoDelay(true);
  await new Promise<void>((resolve, reject) => {
    const fail = (error: HubError) => {
      socket.destroy();
      reject(error);
    };
    const timeoutMs = options.handshakeTimeoutMs ?? HANDSHAKE_MS;
    const timer = setTimeout(() => {
      fail(new HubError(ErrorCode.Unavailable, `No TLS handshake with ${address} within ${timeoutMs} ms`));
    }, timeoutMs);
    const onAbort = () => fail(abortError(signal?.reason));
    signal?.addEventListener("abort", onAbort, { once: true });
    const settle = (action: () => void) => () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      action();
    };
    socket.once("secureConnect", settle(resolve));
    socket.once("error", (error: NodeJS.ErrnoException) => settle(() => fail(dialError(address, error)))());
  });
  return new SocketLink(
    socket,
    {
      carrier: where.carrier,
      peer: peerName(socket),
      remoteAddress: address,
      isConnector: true,
      keepAliveMs: options.keepAliveMs ?? (where.carrier === "tls" ? TLS_KEEP_ALIVE_MS : 0),
    },
    accept,
  );
}

/**
 * The link to the hub that started this process, over a descriptor that it handed down. The kernel vouches for the other end:
 * only parent and child hold it.
 * @param peer what the other side is called
 */
export function openFdLink(fd: number, peer: string, accept: AcceptLink): Link {
  const socket = new Socket({ fd, readable: true, writable: true });
  return new SocketLink(socket, { carrier: "fd", peer, remoteAddress: `fd:${fd}`, isConnector: true }, accept);
}

function dialError(address: string, error: NodeJS.ErrnoException): HubError {
  const nobody = error.code === "ECONNREFUSED" || error.code === "ENOENT";
  const code = nobody || error.code === "ECONNRESET" ? ErrorCode.Unavailable : ErrorCode.Unauthenticated;
  const what = nobody ? "nobody listens there" : error.message;
  return new HubError(code, `Cannot connect to ${address}: ${what}`, { cause: error });
}
