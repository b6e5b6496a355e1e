import { Buffer } from "node:buffer";
import type { RemoteInfo, Socket } from "node:dgram";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { type AcceptLink, abortError, type LinkListener } from "@orchestrator/transport";
import { Connection, type ConnectionOwner } from "../connection/connection.ts";
import { Turn } from "../connection/turn.ts";
import type { Endpoint, EngineFactory } from "../engine/engine.ts";
import { type QuicListenOptions, type Settings, settingsOf } from "../options.ts";
import { requireEngine } from "../support.ts";
import { formatAddress, resolveAddress } from "./address.ts";
import { DatagramArena } from "./datagram-arena.ts";
import { closeSocket, engineConfig, makeLink, newConnectionId } from "./endpoint.ts";
import { destinationOf, type FirstPacket, readFirstPacket, versionNegotiation } from "./packet.ts";
import { bindUdp } from "./udp.ts";

/** Handshakes at once; who comes later is left to try again, as QUIC clients do by themselves. */
const MAX_HANDSHAKES = 256;

/**
 * Listens for QUIC peers. `localhost:0` takes a free port of the IPv4 loopback, `[::1]:0` of the IPv6 one.
 * @throws {HubError} `ALREADY_EXISTS` for a port that is taken, `UNAVAILABLE`, `PERMISSION_DENIED`, `UNIMPLEMENTED` on a platform
 * without QUIC, `INVALID_ARGUMENT`, or what the signal's reason means
 */
export async function listenQuic(
  address: string,
  options: QuicListenOptions,
  accept: AcceptLink,
): Promise<LinkListener> {
  const { signal } = options;
  if (signal?.aborted) throw abortError(signal.reason);
  const local = await resolveAddress(address);
  const settings = settingsOf(options, local.host);
  const anonymous = options.clientCertificates === "allow-anonymous";
  const factory = requireEngine().configure(engineConfig(settings, "server", anonymous));
  const socket = await bindUdp(local);
  const listener = new QuicListener(socket, factory, settings, options, accept);
  if (signal?.aborted) {
    await listener.close(0);
    throw abortError(signal.reason);
  }
  return listener;
}

class QuicListener implements LinkListener, ConnectionOwner {
  readonly address: string;
  readonly settings: Settings;
  readonly turn = new Turn();
  readonly #socket: Socket;
  readonly #local: Endpoint;
  readonly #factory: EngineFactory;
  readonly #options: QuicListenOptions;
  readonly #accept: AcceptLink;
  readonly #arena: DatagramArena;
  /** By every connection id that a packet for them may carry. */
  readonly #byId = new Map<string, Connection>();
  readonly #idsOf = new Map<Connection, readonly string[]>();
  readonly #handshakes = new Set<Connection>();
  #closing: Promise<void> | undefined;

  constructor(
    socket: Socket,
    factory: EngineFactory,
    settings: Settings,
    options: QuicListenOptions,
    accept: AcceptLink,
  ) {
    const local = socket.address();
    this.#local = { host: local.address, port: local.port };
    this.address = formatAddress(local.address, local.port);
    this.#socket = socket;
    this.#factory = factory;
    this.settings = settings;
    this.#options = options;
    this.#accept = accept;
    this.#arena = new DatagramArena(settings.maxDatagramBytes, socket);
    socket.on("message", this.#datagram);
    // Errors of single datagrams (a peer that is gone, a full buffer) are what QUIC's own recovery is for.
    socket.on("error", () => {});
    options.signal?.addEventListener("abort", this.#abort);
  }

  close(graceMs = 5_000): Promise<void> {
    for (const connection of [...this.#idsOf.keys()]) {
      if (connection.link !== undefined) void connection.link.close(graceMs);
      else connection.fail(new HubError(ErrorCode.Unavailable, `${this.address} is closing`));
    }
    this.#closing ??= this.#closed();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  reserve(): Uint8Array {
    return this.#arena.reserve();
  }

  send(connection: Connection, bytes: number): void {
    const { host, port } = connection.remote;
    this.#socket.send(this.#arena.take(bytes), port, host);
  }

  established(connection: Connection) {
    const link = makeLink(connection, this.settings, this.#accept);
    this.#handshakes.delete(connection);
    return link;
  }

  gone(connection: Connection, error: HubError | undefined): void {
    for (const id of this.#idsOf.get(connection) ?? []) this.#byId.delete(id);
    this.#idsOf.delete(connection);
    const wasHandshake = this.#handshakes.delete(connection);
    if (wasHandshake && error !== undefined && this.#closing === undefined)
      this.#options.onRefused?.(error, connection.remoteAddress);
  }

  readonly #datagram = (datagram: Buffer, from: RemoteInfo): void => {
    if (datagram.length === 0) return;
    const id = destinationOf(datagram);
    if (id === undefined) return;
    const connection = this.#byId.get(id);
    if (connection !== undefined) connection.receive(datagram);
    else if (this.#closing === undefined) this.#first(datagram, from);
  };

  /** A datagram for no connection that is known. */
  #first(datagram: Buffer, from: RemoteInfo): void {
    const packet = readFirstPacket(datagram);
    if (packet === undefined) return;
    if (packet.isInitial) this.#begin(datagram, packet, from);
    else if (packet.version !== 0 && packet.version !== 1) {
      this.#socket.send(versionNegotiation(packet), from.port, from.address);
    }
  }

  #begin(datagram: Buffer, packet: FirstPacket, from: RemoteInfo): void {
    if (this.#handshakes.size >= MAX_HANDSHAKES) return;
    const id = newConnectionId();
    const remote = { host: from.address, port: from.port };
    const engine = this.#factory.accept(id, this.#local, remote);
    const connection = new Connection(this, "server", engine, remote, formatAddress(from.address, from.port));
    // Until the client has learnt the id that we chose, it uses its own.
    const ids = [Buffer.from(id).toString("latin1"), packet.destination];
    for (const key of ids) this.#byId.set(key, connection);
    this.#idsOf.set(connection, ids);
    this.#handshakes.add(connection);
    connection.receive(datagram);
  }

  readonly #abort = (): void => {
    const reason = abortError(this.#options.signal?.reason);
    for (const connection of [...this.#idsOf.keys()]) connection.link?.abort(reason);
    void this.close(0);
  };

  async #closed(): Promise<void> {
    this.#options.signal?.removeEventListener("abort", this.#abort);
    await Promise.all([...this.#idsOf.keys()].map((connection) => connection.link?.closed));
    await closeSocket(this.#socket);
  }
}
