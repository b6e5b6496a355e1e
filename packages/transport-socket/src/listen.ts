import type { Server, Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { type AcceptLink, abortError, type Link, type LinkListener } from "@orchestrator/transport";
import { parseSocketAddress, type SocketAddress } from "./address.ts";
import { HANDSHAKE_MS, type SocketListenOptions, TLS_KEEP_ALIVE_MS } from "./options.ts";
import { peerName } from "./peer-name.ts";
import { SocketLink } from "./socket-link.ts";
import { preparePath, protectSocket } from "./socket-path.ts";

/**
 * Listens on `unix:/path` or `tls:host:port` (0 takes a free port) with mutual TLS 1.3. A missing directory of a Unix socket is
 * made for its owner alone; a socket that a dead process left behind is replaced. On Windows the path is the name of a pipe.
 * @throws {HubError} `ALREADY_EXISTS` when somebody listens there, `PERMISSION_DENIED`, `INVALID_ARGUMENT`
 */
export async function listenSocket(
  address: string,
  options: SocketListenOptions,
  accept: AcceptLink,
): Promise<LinkListener> {
  const { signal } = options;
  if (signal?.aborted) throw abortError(signal.reason);
  const where = parseSocketAddress(address);
  if (where.carrier === "unix") await preparePath(where.path);
  const links = new Set<Link>();
  let count = 0;
  const server = createServer(
    {
      cert: options.tls.certPem,
      key: options.tls.keyPem,
      ca: options.tls.caPem,
      minVersion: "TLSv1.3",
      requestCert: true,
      // Looked at below: refused here, nobody would learn why.
      rejectUnauthorized: false,
      handshakeTimeout: options.handshakeTimeoutMs ?? HANDSHAKE_MS,
    },
    (socket) => {
      count += 1;
      const remoteAddress = where.carrier === "unix" ? `${where.path}#${count}` : remote(socket);
      if (!socket.authorized) {
        const why = `The peer's certificate is refused: ${socket.authorizationError ?? "there is none"}`;
        options.onRefused?.(new HubError(ErrorCode.Unauthenticated, why), remoteAddress);
        socket.destroy();
        return;
      }
      socket.setNoDelay(true);
      const link = new SocketLink(
        socket,
        {
          carrier: where.carrier,
          peer: peerName(socket),
          remoteAddress,
          isConnector: false,
          keepAliveMs: options.keepAliveMs ?? (where.carrier === "tls" ? TLS_KEEP_ALIVE_MS : 0),
        },
        accept,
      );
      links.add(link);
      link.closed.then(() => links.delete(link));
    },
  );
  server.on("tlsClientError", (error, socket) => {
    const what = `The TLS handshake failed: ${error.message}`;
    options.onRefused?.(new HubError(ErrorCode.Unauthenticated, what, { cause: error }), remote(socket));
  });
  await bind(server, where, address);
  const bound = server.address();
  const isTcp = typeof bound === "object" && bound !== null;
  const listener = new SocketListener(server, links, isTcp ? tlsAddress(bound) : address);
  if (signal?.aborted) {
    await listener.close(0);
    throw abortError(signal.reason);
  }
  const onAbort = () => void listener.close(0);
  signal?.addEventListener("abort", onAbort, { once: true });
  server.once("close", () => signal?.removeEventListener("abort", onAbort));
  return listener;
}

/** How long connections get to end after their links, in milliseconds; those still in their handshake end here. */
const LINGER_MS = 1_000;

class SocketListener implements LinkListener {
  readonly address: string;
  readonly #server: Server;
  readonly #links: ReadonlySet<Link>;
  readonly #sockets = new Set<Socket>();
  #closing: Promise<void> | undefined;

  constructor(server: Server, links: ReadonlySet<Link>, address: string) {
    this.#server = server;
    this.#links = links;
    this.address = address;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  async close(graceMs = 5_000): Promise<void> {
    this.#closing ??= new Promise((resolve) => this.#server.close(() => resolve()));
    await Promise.all([...this.#links].map((link) => link.close(graceMs)));
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, LINGER_MS);
    await this.#closing;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function remote(socket: TLSSocket): string {
  return socket.remoteAddress === undefined ? "" : `${socket.remoteAddress}:${socket.remotePort}`;
}

function tlsAddress(bound: { address: string; port: number; family: string }): string {
  return `tls:${bound.family === "IPv6" ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

async function bind(server: Server, where: SocketAddress, address: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const codes: Record<string, ErrorCode> = {
        EADDRINUSE: ErrorCode.AlreadyExists,
        EACCES: ErrorCode.PermissionDenied,
      };
      const code = codes[error.code ?? ""] ?? ErrorCode.InvalidArgument;
      const what = error.code === "EADDRINUSE" ? "another program listens there" : error.message;
      reject(new HubError(code, `Cannot listen on ${address}: ${what}`, { cause: error }));
    });
    if (where.carrier === "unix") server.listen(where.path, resolve);
    else server.listen(where.port, where.host, resolve);
  });
  server.on("error", () => {});
  if (where.carrier === "unix") protectSocket(where.path);
}
