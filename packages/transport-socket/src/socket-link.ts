import type { Duplex } from "node:stream";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import {
  type AcceptLink,
  type CallId,
  type Carrier,
  type Link,
  linkLost,
  notOpen,
  type PayloadSource,
} from "@orchestrator/transport";
import { Backlog } from "./backlog.ts";
import { bidFarewell, FAREWELL_MS } from "./farewell.ts";
import { brokenFrame, FrameError, FrameKind, HELLO } from "./frame.ts";
import { FrameParser } from "./frame-parser.ts";
import { FrameWriter } from "./frame-writer.ts";
import { KeepAlive } from "./keep-alive.ts";
import { LinkCalls } from "./link-calls.ts";

/** Default of `maxWaitingBytes`. */
const MAX_WAITING_BYTES = 256 * 1024 * 1024;
/** Default of `maxConcurrentCalls`. */
const MAX_CONCURRENT_CALLS = 16_384;
const NOTHING = new Uint8Array(0);

export interface SocketLinkOptions {
  readonly carrier: Carrier;
  /** The verified name of the peer. */
  readonly peer: string;
  readonly remoteAddress: string;
  /** The side that connected opens odd calls, the other one even calls. */
  readonly isConnector: boolean;
  /** Milliseconds of silence after which the peer is asked for a sign of life, and then given up. 0: never. Default 0. */
  readonly keepAliveMs?: number;
  /** Calls that the peer may have open at once; more are refused with `RESOURCE_EXHAUSTED`. Default 16 384. */
  readonly maxConcurrentCalls?: number;
  /** A peer that reads nothing while so many bytes wait for it is given up. Default 256 MiB. */
  readonly maxWaitingBytes?: number;
  /** How often is looked, at the end, whether the peer still takes what was sent, in milliseconds. Default 1 000. */
  readonly farewellMs?: number;
  /** Called when the peer's hello is here: it speaks this frame format. */
  readonly onHello?: () => void;
}

/** A link over any byte stream that Node has a Duplex for. */
export class SocketLink implements Link {
  readonly carrier: Carrier;
  readonly peer: string;
  readonly remoteAddress: string;
  readonly closed: Promise<void>;
  readonly #socket: Duplex;
  readonly #writer: FrameWriter;
  readonly #parser: FrameParser;
  readonly #keepAlive: KeepAlive | undefined;
  readonly #calls: LinkCalls;
  readonly #resolveClosed: () => void;
  readonly #farewellMs: number;
  readonly #onHello: (() => void) | undefined;
  #greeted = false;
  #over = false;
  #graceTimer: NodeJS.Timeout | undefined;
  #graceEndsAt = Number.POSITIVE_INFINITY;

  constructor(socket: Duplex, options: SocketLinkOptions, accept: AcceptLink) {
    const { peer, isConnector, keepAliveMs = 0 } = options;
    this.carrier = options.carrier;
    this.peer = peer;
    this.remoteAddress = options.remoteAddress;
    this.#socket = socket;
    this.#farewellMs = options.farewellMs ?? FAREWELL_MS;
    this.#onHello = options.onHello;
    const closed = Promise.withResolvers<void>();
    this.closed = closed.promise;
    this.#resolveClosed = closed.resolve;
    const writer = new FrameWriter(socket, {
      backlog: new Backlog(options.maxWaitingBytes ?? MAX_WAITING_BYTES),
      onBulkSent: () => this.#callEnded(),
      onHopeless: (bytes) => this.#giveUp(bytes),
    });
    this.#writer = writer;
    const maxForeign = options.maxConcurrentCalls ?? MAX_CONCURRENT_CALLS;
    this.#calls = new LinkCalls({ peer, writer, isConnector, maxForeign, onEnded: () => this.#callEnded() });
    this.#parser = new FrameParser((kind, call, payload) => this.#frame(kind, call, payload));
    this.#keepAlive =
      keepAliveMs > 0
        ? new KeepAlive(
            keepAliveMs,
            () => writer.frame(FrameKind.Ping, 0, NOTHING),
            () => this.abort(linkLost(peer, `is silent for ${2 * keepAliveMs} ms`)),
          )
        : undefined;
    writer.frame(FrameKind.Hello, 0, HELLO);
    this.#calls.handler = accept(this);
    socket.on("data", (chunk: Uint8Array) => this.#data(chunk));
    socket.on("end", () => this.#ended());
    socket.on("error", (error: Error) => this.#lost(linkLost(peer, `broke: ${error.message}`)));
    socket.on("close", () => this.#ended());
  }

  get isOpen(): boolean {
    return !this.#over && !this.#calls.saidGoaway && !this.#calls.heardGoaway;
  }

  open(payload: Uint8Array, last: boolean): CallId {
    if (!this.isOpen) throw notOpen(this.peer);
    return this.#calls.open(payload, last);
  }

  openFrom(source: PayloadSource, last: boolean): CallId {
    if (!this.isOpen) throw notOpen(this.peer);
    return this.#calls.openFrom(source, last);
  }

  send(id: CallId, payload: Uint8Array, last: boolean): boolean {
    return this.#calls.send(id, payload, last);
  }

  cancel(id: CallId): void {
    this.#calls.cancel(id);
  }

  credit(id: CallId, bytes: number): void {
    this.#calls.credit(id, bytes);
  }

  async close(graceMs = 5_000): Promise<void> {
    if (this.#over) return await this.closed;
    if (!this.#calls.saidGoaway) {
      this.#calls.saidGoaway = true;
      this.#writer.frame(FrameKind.Goaway, 0, NOTHING);
    }
    const endsAt = performance.now() + graceMs;
    if (endsAt < this.#graceEndsAt) {
      this.#graceEndsAt = endsAt;
      clearTimeout(this.#graceTimer);
      this.#graceTimer = setTimeout(() => this.#finishClosing(), graceMs);
    }
    this.#callEnded();
    await this.closed;
  }

  abort(reason: HubError): void {
    if (this.#over) return;
    try {
      this.#lost(reason);
    } finally {
      this.#socket.destroy();
    }
  }

  #data(chunk: Uint8Array): void {
    if (this.#over) return;
    this.#keepAlive?.heard();
    try {
      this.#parser.push(chunk);
    } catch (reason) {
      if (reason instanceof FrameError) {
        this.abort(reason);
        return;
      }
      // A handler threw, which is a mistake on this side and no fault of the peer: what was under way cannot be trusted, and
      // the mistake must be seen, so it goes on to whoever looks after uncaught errors.
      try {
        this.abort(new HubError(ErrorCode.Internal, "The handler of a link failed", { cause: reason }));
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: the first failure is the one to show; what follows from it is not
        throw reason;
      }
    }
  }

  #frame(kind: number, id: number, payload: Uint8Array): void {
    if (this.#over) return;
    if (!this.#greeted) {
      this.#greet(kind, id, payload);
      return;
    }
    if ((id === 0) !== isOfLink(kind)) throw brokenFrame(`frame kind ${kind} with call id ${id}`);
    if (kind === FrameKind.Ping || kind === FrameKind.Pong) {
      if (payload.length > 8) throw brokenFrame("a ping or pong of more than 8 bytes");
      if (kind === FrameKind.Ping) this.#writer.frame(FrameKind.Pong, 0, payload);
    } else if (kind === FrameKind.Goaway) {
      this.#calls.heardGoaway = true;
      this.#callEnded();
    } else this.#calls.frame(kind, id, payload);
  }

  #greet(kind: number, id: number, payload: Uint8Array): void {
    const magic = HELLO.subarray(0, 4);
    const isHello = kind === FrameKind.Hello && id === 0 && payload.length >= HELLO.length;
    if (!isHello || magic.some((byte, index) => payload[index] !== byte)) {
      throw brokenFrame("its first frame is no hello");
    }
    if (payload[4] !== HELLO[4]) throw brokenFrame(`it speaks version ${payload[4]}, this side ${HELLO[4]}`);
    this.#greeted = true;
    this.#onHello?.();
  }

  #giveUp(bytes: number): void {
    const what = linkLost(this.peer, `has ${bytes} bytes waiting and reads nothing`).message;
    this.abort(new HubError(ErrorCode.ResourceExhausted, what));
  }

  /** A call is over: a link that closes may be done now. */
  #callEnded(): void {
    if (!this.#calls.saidGoaway || this.#over || this.#calls.size > 0 || this.#writer.hasBulk) return;
    this.#finishClosing();
  }

  #finishClosing(): void {
    if (this.#over) return;
    this.#writer.flush();
    try {
      this.#lost(this.#calls.size === 0 ? undefined : linkLost(this.peer, "was closed"));
    } finally {
      bidFarewell(this.#socket, this.#farewellMs);
    }
  }

  #ended(): void {
    const graceful = this.#calls.heardGoaway && this.#calls.size === 0 && this.#parser.idle;
    try {
      this.#lost(graceful ? undefined : linkLost(this.peer, "was closed by the peer"));
    } finally {
      bidFarewell(this.#socket, this.#farewellMs);
    }
  }

  /** @throws the first thing that the handler threw, once it has heard everything */
  #lost(error: HubError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#graceTimer);
    this.#keepAlive?.stop();
    this.#writer.stop();
    this.#resolveClosed();
    const failures = this.#calls.endAll(error ?? linkLost(this.peer, "was closed"));
    this.#calls.handler.closed(error);
    if (failures.length > 0) throw failures[0];
  }
}

/** Kinds that speak of the link and not of a call. */
function isOfLink(kind: number): boolean {
  return kind === FrameKind.Hello || (kind >= FrameKind.Ping && kind <= FrameKind.Goaway);
}
