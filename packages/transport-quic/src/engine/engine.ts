import type { TlsMaterial } from "@orchestrator/transport";

/** Length of the connection ids that this package gives out; short packets carry no length, so it is fixed. */
export const CONNECTION_ID_BYTES = 20;

/** Results of `read`, `write` and `capacity` that are no byte count. */
export const NOTHING = -1;
/** The peer reset (read) or stopped (write, capacity) the stream; `streamError` has its code. */
export const ENDED_BY_PEER = -2;
/** The stream is finished and forgotten; one that the peer stopped may be, with this side's direction still open. */
export const GONE = -3;

/** What a set of connections has in common. */
export interface EngineConfig {
  readonly role: "client" | "server";
  readonly tls: TlsMaterial;
  readonly alpn: string;
  /** Server only: ask for a client certificate and check it if there is one, instead of requiring it. */
  readonly anonymousClients: boolean;
  readonly idleTimeoutMs: number;
  /** Bidirectional streams that the peer may have open at once. */
  readonly maxStreams: number;
  /** Bytes that the peer may send on one stream before it is read. */
  readonly streamWindowBytes: number;
  readonly maxDatagramBytes: number;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Why a connection ended. TLS alert `n` is code 256 + n, of the transport, not of the application. */
export interface CloseReason {
  readonly by: "local" | "peer";
  readonly application: boolean;
  readonly code: number;
  readonly text: string;
}

/**
 * A QUIC implementation. It has no socket, timer or thread of its own: the driver feeds datagrams in, takes datagrams out and
 * says when time has passed.
 */
export interface QuicEngine {
  /** @throws {HubError} `INVALID_ARGUMENT` for keys or certificates that cannot be used */
  configure(config: EngineConfig): EngineFactory;
}

export interface EngineFactory {
  /** `id` is this side's connection id, {@link CONNECTION_ID_BYTES} long. */
  connect(serverName: string, id: Uint8Array, local: Endpoint, remote: Endpoint): EngineConnection;
  accept(id: Uint8Array, local: Endpoint, remote: Endpoint): EngineConnection;
}

/** One connection. Stream ids are QUIC's: the lowest bit says who opened it (0 the client), all streams are bidirectional. */
export interface EngineConnection {
  readonly established: boolean;
  /** Closed by either side: nothing can be sent any more. What has arrived can still be read. */
  readonly closing: boolean;
  readonly timedOut: boolean;
  /** DER of the peer's certificate, once established. */
  readonly peerCertificate: Uint8Array | undefined;
  readonly alpn: string;
  readonly closeReason: CloseReason | undefined;

  /** Takes one datagram, which it overwrites. @returns false when that broke the connection: transmit, then drop it */
  receive(datagram: Uint8Array): boolean;
  /** Writes the next datagram. @returns its length, 0 when there is none */
  transmit(into: Uint8Array): number;
  /** Of an established connection: the smaller figure of both sides. */
  idleTimeoutMs(own: number): number;
  /** Milliseconds until `elapsed` is due, or -1. */
  timeout(): number;
  elapsed(): void;
  /** Provokes a sign of life from the peer. */
  ping(): void;
  close(application: boolean, code: number, text: string): void;

  /** Whether any stream has something to read, be it left unread before. */
  readonly hasReadable: boolean;
  /** Whether this one has; false for a stream that is not there. Costs a hundredth of `readable`. */
  isReadable(stream: number): boolean;
  /** All that have. */
  readable(): Iterable<number>;
  /** @returns bytes read, {@link NOTHING} or {@link ENDED_BY_PEER}; `finished` then says whether that was the end of the stream */
  read(stream: number, into: Uint8Array): number;
  /** Of the last `read`. */
  readonly finished: boolean;
  /** The peer's code, after `read`, `write` or `capacity` returned {@link ENDED_BY_PEER}; 0 after {@link GONE}. */
  readonly streamError: number;
  /**
   * Takes as many bytes as may be sent now; the first write on a new id opens the stream. `finish` counts only if all bytes
   * are taken, and `bytes` must not be empty.
   * @returns bytes taken (perhaps 0), {@link ENDED_BY_PEER} or {@link GONE}
   */
  write(stream: number, bytes: Uint8Array, finish: boolean): number;
  /** Bytes that a `write` would take, {@link ENDED_BY_PEER}, or {@link GONE} for a stream that is finished or never was. */
  capacity(stream: number): number;
  /** Tells the peer to stop sending, and drops what has arrived. */
  stop(stream: number, code: number): void;
  /** Tells the peer that the rest will not come, and drops what was not sent. */
  reset(stream: number, code: number): void;
  /** Streams that this side may open now. */
  streamsLeft(): number;
}
