import { chmodSync, mkdirSync, statSync, unlinkSync } from "node:fs";
import { connect, type Server } from "node:net";
import { dirname } from "node:path";
import { createServer, type TLSSocket } from "node:tls";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { type AcceptLink, abortError, type Link, type LinkListener } from "@orchestrator/transport";
import { parseSocketAddress, type SocketAddress } from "./address.ts";
import { HANDSHAKE_MS, type SocketListenOptions, TLS_KEEP_ALIVE_MS } from "./options.ts";
import { SocketLink } from "./socket-link.ts";

/**
 * Listens on `unix:/path` or `tls:host:port` (0 takes a free port) with mutual TLS 1.3. The directory of a Unix socket is made
 * private to its owner; a socket that a dead process left behind is replaced.
 * @throws {HubError} `ALREADY_EXISTS` when somebody listens there, `PERMISSION_DENIED`, `INVALID_ARGUMENT`
 */
export async function listenSocket(
  address: string,
  options: SocketListenOptions,
  accept: AcceptLink,
): Promise<LinkListener> {
  if (options.signal?.aborted) throw abortError(options.signal.reason);
  const where = parseSocketAddress(address);
  if (where.carrier === "unix") await preparePath(where.path);
  const links = new Set<Link>();
  const server = createServer(
    {
      cert: options.tls.certPem,
      key: options.tls.keyPem,
      ca: options.tls.caPem,
      minVersion: "TLSv1.3",
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: options.handshakeTimeoutMs ?? HANDSHAKE_MS,
    },
    (socket) => {
      socket.setNoDelay(true);
      const link = new SocketLink(
        socket,
        {
          carrier: where.carrier,
          peer: peerName(socket),
          remoteAddress: where.carrier === "unix" ? where.path : `${socket.remoteAddress}:${socket.remotePort}`,
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
    options.onRefused?.(new HubError(ErrorCode.Unauthenticated, what, { cause: error }), socket.remoteAddress ?? "");
  });
  await bind(server, where, address);
  const bound = server.address();
  const listener = new SocketListener(
    server,
    links,
    typeof bound === "object" && bound !== null ? tlsAddress(bound) : address,
  );
  options.signal?.addEventListener("abort", () => void listener.close(0), { once: true });
  return listener;
}

class SocketListener implements LinkListener {
  readonly address: string;
  readonly #server: Server;
  readonly #links: ReadonlySet<Link>;
  #closing: Promise<void> | undefined;

  constructor(server: Server, links: ReadonlySet<Link>, address: string) {
    this.#server = server;
    this.#links = links;
    this.address = address;
  }

  async close(graceMs = 5_000): Promise<void> {
    this.#closing ??= new Promise((resolve) => this.#server.close(() => resolve()));
    await Promise.all([...this.#links].map((link) => link.close(graceMs)));
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The common name of a verified certificate. */
export function peerName(socket: TLSSocket): string {
  const name = socket.getPeerCertificate().subject?.CN;
  return Array.isArray(name) ? String(name[0]) : String(name ?? "");
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
  if (where.carrier === "unix" && process.platform !== "win32") chmodSync(where.path, 0o600);
}

async function preparePath(path: string): Promise<void> {
  if (process.platform === "win32") return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (!statSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  const answers = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => resolve(true)).once("error", () => resolve(false));
    probe.once("close", () => probe.destroy());
    probe.once("connect", () => probe.destroy());
  });
  if (!answers) unlinkSync(path);
}
