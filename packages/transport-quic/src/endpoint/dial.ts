import type { Socket } from "node:dgram";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { type AcceptLink, abortError, type Link } from "@orchestrator/transport";
import { Connection, type ConnectionOwner } from "../connection/connection.ts";
import { Turn } from "../connection/turn.ts";
import { type QuicDialOptions, type Settings, settingsOf } from "../options.ts";
import { requireEngine } from "../support.ts";
import { formatAddress, resolveAddress } from "./address.ts";
import { DatagramArena } from "./datagram-arena.ts";
import { closeSocket, engineConfig, makeLink, newConnectionId } from "./endpoint.ts";
import { bindUdp, connectUdp } from "./udp.ts";

/**
 * Connects to a QUIC peer. Resolves when the peer has accepted this side's certificate.
 * @throws {HubError} `UNAVAILABLE` where nobody answers, `UNAUTHENTICATED` where either certificate is refused,
 * `FAILED_PRECONDITION` for a peer that speaks another protocol, `UNIMPLEMENTED` on a platform without QUIC,
 * `INVALID_ARGUMENT`, or what the signal's reason means
 */
export async function dialQuic(address: string, options: QuicDialOptions, accept: AcceptLink): Promise<Link> {
  const { signal } = options;
  if (signal?.aborted) throw abortError(signal.reason);
  const remote = await resolveAddress(address);
  const settings = settingsOf(options, remote.host);
  const factory = requireEngine().configure(engineConfig(settings, "client", false));
  const socket = await bindUdp({ host: remote.host.includes(":") ? "::" : "0.0.0.0", port: 0 });
  let dialing: Dialing;
  try {
    await connectUdp(socket, remote);
    if (signal?.aborted) throw abortError(signal.reason);
    const local = socket.address();
    const engine = factory.connect(
      options.serverName ?? "localhost",
      newConnectionId(),
      { host: local.address, port: local.port },
      remote,
    );
    dialing = new Dialing(socket, settings, accept);
    return await dialing.start(
      new Connection(dialing, "client", engine, remote, formatAddress(remote.host, remote.port)),
      signal,
    );
  } catch (error) {
    await closeSocket(socket);
    throw error;
  }
}

/** The client's end: one socket with one connection. */
class Dialing implements ConnectionOwner {
  readonly settings: Settings;
  readonly turn = new Turn();
  readonly #socket: Socket;
  readonly #accept: AcceptLink;
  readonly #arena: DatagramArena;
  #settle: { resolve: (link: Link) => void; reject: (error: HubError) => void } | undefined;

  constructor(socket: Socket, settings: Settings, accept: AcceptLink) {
    this.#socket = socket;
    this.settings = settings;
    this.#accept = accept;
    this.#arena = new DatagramArena(settings.maxDatagramBytes, socket);
  }

  async start(connection: Connection, signal: AbortSignal | undefined): Promise<Link> {
    this.#socket.on("message", (datagram) => connection.receive(datagram));
    // The kernel's word that nobody listens there: sooner than any timeout.
    this.#socket.on("error", (cause) => {
      const message = `Nobody listens on ${connection.remoteAddress} (any more)`;
      connection.fail(new HubError(ErrorCode.Unavailable, message, { cause }));
    });
    const abort = () => connection.fail(abortError(signal?.reason));
    signal?.addEventListener("abort", abort);
    try {
      return await new Promise<Link>((resolve, reject) => {
        this.#settle = { resolve, reject };
        connection.flush();
      });
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  reserve(): Uint8Array {
    return this.#arena.reserve();
  }

  send(_connection: Connection, bytes: number): void {
    this.#socket.send(this.#arena.take(bytes));
  }

  established(connection: Connection) {
    const link = makeLink(connection, this.settings, this.#accept);
    if (link !== undefined) this.#settle?.resolve(link);
    return link;
  }

  gone(connection: Connection, error: HubError | undefined): void {
    this.#settle?.reject(
      error ?? new HubError(ErrorCode.Unavailable, `${connection.remoteAddress} closed the connection at once`),
    );
    void closeSocket(this.#socket);
  }
}
