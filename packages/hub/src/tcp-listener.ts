import { timingSafeEqual } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { ErrorCode, encodeFrame, FrameReader, HubError, MAX_FRAME_BYTES } from "@orchestrator/protocol";
import type { TlsMaterial } from "@orchestrator/transport";

/** A connection that has not sent its whole request within this time is closed; one that does not read its answer, too. */
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 256;
const MAX_TOKEN_BYTES = 4_096;

export interface TcpListenerOptions {
  /** `host:port` on loopback. */
  readonly address: string;
  /** Either a secret that the client sends as its first frame, or TLS 1.3 with client certificates. */
  readonly auth: { readonly token: string } | { readonly tls: TlsMaterial };
  /** Answers one request. `peer` is the certificate's common name, "" with a token; `gone` aborts when the client hangs up. */
  readonly answer: (payload: Uint8Array, peer: string, gone: AbortSignal) => Promise<Uint8Array>;
  readonly onRefused: (why: string) => void;
  /** For tests. Default 30 000. */
  readonly requestTimeoutMs?: number;
}

export interface TcpListener {
  readonly address: string;
  /** At once: whoever is connected is cut off. */
  close(): Promise<void>;
}

/**
 * The simple door for programs that cannot open QUIC: one frame in, one frame out, then the connection ends. Loopback only.
 * @throws {HubError} `INVALID_ARGUMENT` for an address that is not loopback, `ALREADY_EXISTS` when the port is taken
 */
export async function listenTcp(options: TcpListenerOptions): Promise<TcpListener> {
  const { host, port } = splitAddress(options.address);
  const { auth } = options;
  const timeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const server: Server =
    "token" in auth
      ? createServer((socket) => serve(socket, "", options, timeoutMs))
      : createTlsServer(
          {
            cert: auth.tls.certPem,
            key: auth.tls.keyPem,
            ca: auth.tls.caPem,
            minVersion: "TLSv1.3",
            requestCert: true,
            rejectUnauthorized: true,
            handshakeTimeout: timeoutMs,
          },
          (socket: TLSSocket) => {
            const peer = String(socket.getPeerCertificate().subject?.CN ?? "");
            // The empty name is that of whoever holds the token.
            if (peer === "") socket.destroy();
            else serve(socket, peer, options, timeoutMs);
          },
        ).on("tlsClientError", (error) => options.onRefused(error.message));
  server.maxConnections = MAX_CONNECTIONS;
  // The sockets below TLS: a client that never shakes hands has no other, and would keep the server open.
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      const what = taken ? "the port is taken by another program" : error.message;
      const code = taken ? ErrorCode.AlreadyExists : ErrorCode.InvalidArgument;
      reject(new HubError(code, `Cannot listen on TCP ${options.address}: ${what}`, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
  server.on("error", (error) => options.onRefused(error.message));
  const bound = server.address() as { address: string; port: number; family: string };
  return {
    address: bound.family === "IPv6" ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function serve(socket: Socket, peer: string, options: TcpListenerOptions, timeoutMs: number): void {
  let done = false;
  const refuse = (why: string) => {
    options.onRefused(why);
    socket.destroy();
  };
  // From the first byte to the last, not from one to the next: a client that trickles holds its place no longer than others.
  const timer = setTimeout(() => refuse(`no request within ${timeoutMs} ms`), timeoutMs);
  socket.on("error", () => socket.destroy());
  socket.once("close", () => clearTimeout(timer));
  const finish = (response: Uint8Array) => {
    // An answer that is not read takes up to 16 MiB of the hub's memory.
    socket.setTimeout(timeoutMs, () => refuse(`the answer was not read for ${timeoutMs} ms`));
    socket.end(encodeFrame(response));
  };
  const reader = new FrameReader((payload) => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    const gone = new AbortController();
    socket.once("close", () => gone.abort());
    options.answer(payload, peer, gone.signal).then(finish, () => socket.destroy());
  }, MAX_FRAME_BYTES);
  const gate = "token" in options.auth ? new TokenGate(options.auth.token) : undefined;
  socket.on("data", (chunk: Buffer) => {
    // Nothing is expected after the request; what comes all the same is read and forgotten.
    if (done) return;
    try {
      const rest = gate === undefined ? chunk : gate.push(chunk);
      if (rest.length > 0) reader.push(rest);
    } catch (reason) {
      refuse(HubError.from(reason, ErrorCode.Protocol).message);
    }
  });
}

/** The first frame of a connection must hold the token. A client that has not proven itself makes the hub hold 4 KiB, not 16 MiB. */
class TokenGate {
  readonly #token: Buffer;
  #held = Buffer.alloc(0);
  #open = false;

  constructor(token: string) {
    this.#token = Buffer.from(token, "utf8");
  }

  /** @returns what follows the token @throws {HubError} `UNAUTHENTICATED` */
  push(chunk: Buffer): Buffer {
    if (this.#open) return chunk;
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    if (bytes.length < 4) return this.#hold(bytes);
    const length = bytes.readUInt32BE(0);
    if (length > MAX_TOKEN_BYTES) throw new HubError(ErrorCode.Unauthenticated, "The first frame is no token");
    if (bytes.length < 4 + length) return this.#hold(bytes);
    const given = bytes.subarray(4, 4 + length);
    if (given.length !== this.#token.length || !timingSafeEqual(given, this.#token)) {
      throw new HubError(ErrorCode.Unauthenticated, "Wrong token");
    }
    this.#open = true;
    return bytes.subarray(4 + length);
  }

  #hold(bytes: Buffer): Buffer {
    this.#held = Buffer.from(bytes);
    return Buffer.alloc(0);
  }
}

function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
  const port = Number(address.slice(colon + 1));
  if (colon < 0 || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new HubError(ErrorCode.InvalidArgument, `"${address}" is not host:port`);
  }
  if (host === "localhost") return { host: "127.0.0.1", port };
  if (host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host)) return { host, port };
  throw new HubError(ErrorCode.InvalidArgument, `The TCP listener serves loopback only, not "${address}"`);
}
