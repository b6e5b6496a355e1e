import { Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { type AcceptLink, abortError, type Link } from "@orchestrator/transport";
import { parseSocketAddress } from "./address.ts";
import { HANDSHAKE_MS, type SocketDialOptions, TLS_KEEP_ALIVE_MS } from "./options.ts";
import { peerName } from "./peer-name.ts";
import { SocketLink } from "./socket-link.ts";

/**
 * Connects to `unix:/path` or `tls:host:port` with mutual TLS 1.3. Resolves when the peer has said its hello, which it does only
 * once it has accepted this side's certificate.
 * @throws {HubError} `UNAVAILABLE` when nobody listens, `PERMISSION_DENIED` for a socket that this user may not use,
 * `UNAUTHENTICATED` when a certificate is refused, or what the signal means
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
  const { promise, resolve, reject } = Promise.withResolvers<Link>();
  let link: SocketLink | undefined;
  const fail = (error: HubError) => {
    reject(error);
    if (link === undefined) socket.destroy();
    else link.abort(error);
  };
  const timeoutMs = options.handshakeTimeoutMs ?? HANDSHAKE_MS;
  const timer = setTimeout(() => {
    fail(new HubError(ErrorCode.Unavailable, `No TLS handshake with ${address} within ${timeoutMs} ms`));
  }, timeoutMs);
  const onAbort = () => fail(abortError(signal?.reason));
  signal?.addEventListener("abort", onAbort, { once: true });
  const onError = (error: NodeJS.ErrnoException) => fail(dialError(address, error));
  const onClose = () => fail(hungUp(address, link !== undefined));
  socket.once("error", onError).once("close", onClose);
  socket.once("secureConnect", () => {
    const made: SocketLink = new SocketLink(
      socket,
      {
        carrier: where.carrier,
        peer: peerName(socket),
        remoteAddress: address,
        isConnector: true,
        keepAliveMs: options.keepAliveMs ?? (where.carrier === "tls" ? TLS_KEEP_ALIVE_MS : 0),
        onHello: () => resolve(made),
      },
      accept,
    );
    link = made;
    // It may also end by a first frame that is no hello.
    void made.closed.then(onClose);
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    detach(socket, onError, onClose);
  }
}

/**
 * The link to the hub that started this process, over a descriptor that it handed down. The kernel vouches for the other end:
 * only parent and child hold it.
 * @param peer what the other side is called
 * @throws {HubError} `INVALID_ARGUMENT` when the descriptor is not open, or nothing to send and receive on
 */
export function openFdLink(fd: number, peer: string, accept: AcceptLink): Link {
  let socket: Socket;
  try {
    socket = new Socket({ fd, readable: true, writable: true });
  } catch (reason) {
    const what = `Descriptor ${fd} is no socket: ${HubError.from(reason).message}`;
    throw new HubError(ErrorCode.InvalidArgument, what, { cause: reason });
  }
  return new SocketLink(socket, { carrier: "fd", peer, remoteAddress: `fd:${fd}`, isConnector: true }, accept);
}

function detach(socket: TLSSocket, onError: (error: Error) => void, onClose: () => void): void {
  socket.off("close", onClose);
  // A socket that was given up may still have an error to report.
  if (!socket.destroyed) socket.off("error", onError);
}

function dialError(address: string, error: NodeJS.ErrnoException): HubError {
  // What the system says of the way there names its call; all else is about certificates.
  const isSystem = error.syscall !== undefined;
  const nobody = error.code === "ECONNREFUSED" || error.code === "ENOENT";
  const forbidden = error.code === "EACCES" || error.code === "EPERM";
  const ofSystem = forbidden ? ErrorCode.PermissionDenied : ErrorCode.Unavailable;
  const code = isSystem || error.code === "ECONNRESET" ? ofSystem : ErrorCode.Unauthenticated;
  const what = nobody ? "nobody listens there" : error.message;
  return new HubError(code, `Cannot connect to ${address}: ${what}`, { cause: error });
}

function hungUp(address: string, afterHandshake: boolean): HubError {
  if (!afterHandshake) return new HubError(ErrorCode.Unavailable, `Cannot connect to ${address}: it hung up`);
  const why = "it ended the connection in place of a hello, as a listener does that refuses a certificate";
  return new HubError(ErrorCode.Unauthenticated, `Cannot connect to ${address}: ${why}`);
}
