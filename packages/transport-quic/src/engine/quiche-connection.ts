import { Buffer } from "node:buffer";
import type { Quiche } from "@matrixai/quic/native/quiche.js";
import { type CloseReason, ENDED_BY_PEER, type Endpoint, type EngineConnection, GONE, NOTHING } from "./engine.ts";

type Native = ReturnType<Quiche["Connection"]["connect"]>;

const SHUTDOWN_READ = 0;
const SHUTDOWN_WRITE = 1;

/** quiche reports errors as text: the variant's name and, for streams, the peer's code in brackets. */
const STREAM_ERROR = /^Stream(?:Reset|Stopped)\((\d+)\)/;

/** Turns the native connection's exceptions and arrays into plain results. */
export class QuicheConnection implements EngineConnection {
  finished = false;
  streamError = 0;
  readonly #native: Native;
  /** One object for every datagram: the driver knows one path per connection, and the native side parses it each time. */
  readonly #path: { from: { host: string; port: number }; to: { host: string; port: number } };

  constructor(native: Native, local: Endpoint, remote: Endpoint) {
    this.#native = native;
    this.#path = { from: { ...remote }, to: { ...local } };
  }

  get established(): boolean {
    return this.#native.isEstablished();
  }

  get closing(): boolean {
    return this.#native.isDraining() || this.#native.isClosed();
  }

  get timedOut(): boolean {
    return this.#native.isTimedOut();
  }

  get peerCertificate(): Uint8Array | undefined {
    return this.#native.peerCertChain()?.[0];
  }

  get alpn(): string {
    return Buffer.from(this.#native.applicationProto()).toString("latin1");
  }

  get closeReason(): CloseReason | undefined {
    const peer = this.#native.peerError();
    const error = peer ?? this.#native.localError();
    if (error === null) return undefined;
    return {
      by: peer === null ? "local" : "peer",
      application: error.isApp,
      code: error.errorCode,
      text: Buffer.from(error.reason).toString("utf8"),
    };
  }

  receive(datagram: Uint8Array): boolean {
    try {
      this.#native.recv(datagram, this.#path);
      return true;
    } catch (error) {
      // "Done" is what packets get that are of no use: late, undecryptable, for a connection that is draining.
      return (error as Error).message === "Done";
    }
  }

  transmit(into: Uint8Array): number {
    try {
      return this.#native.send(into)?.[0] ?? 0;
    } catch {
      // The native side has put the connection into its closing state; the next receive or timeout tells.
      return 0;
    }
  }

  idleTimeoutMs(own: number): number {
    return Math.min(own, this.#native.stats().peerMaxIdleTimeout || own);
  }

  timeout(): number {
    return this.#native.timeout() ?? -1;
  }

  elapsed(): void {
    this.#native.onTimeout();
  }

  ping(): void {
    this.#native.sendAckEliciting();
  }

  close(application: boolean, code: number, text: string): void {
    this.#native.close(application, code, Buffer.from(text));
  }

  get hasReadable(): boolean {
    return this.#native.isReadable();
  }

  isReadable(stream: number): boolean {
    return this.#native.streamReadable(stream);
  }

  readable(): Iterable<number> {
    return this.#native.readable() as unknown as Iterable<number>;
  }

  read(stream: number, into: Uint8Array): number {
    try {
      const result = this.#native.streamRecv(stream, into);
      if (result === null) {
        this.finished = false;
        return NOTHING;
      }
      this.finished = result[1];
      return result[0];
    } catch (error) {
      this.finished = true;
      return this.#streamFailure(error);
    }
  }

  write(stream: number, bytes: Uint8Array, finish: boolean): number {
    try {
      return this.#native.streamSend(stream, bytes, finish) ?? 0;
    } catch (error) {
      return this.#streamFailure(error);
    }
  }

  capacity(stream: number): number {
    try {
      return this.#native.streamCapacity(stream);
    } catch (error) {
      return this.#streamFailure(error);
    }
  }

  stop(stream: number, code: number): void {
    this.#native.streamShutdown(stream, SHUTDOWN_READ, code);
  }

  reset(stream: number, code: number): void {
    this.#native.streamShutdown(stream, SHUTDOWN_WRITE, code);
  }

  streamsLeft(): number {
    return this.#native.peerStreamsLeftBidi();
  }

  #streamFailure(error: unknown): number {
    const match = STREAM_ERROR.exec((error as Error).message);
    if (match === null) {
      this.streamError = 0;
      return GONE;
    }
    this.streamError = Number(match[1]);
    return ENDED_BY_PEER;
  }
}
