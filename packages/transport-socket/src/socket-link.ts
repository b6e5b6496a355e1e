import type { Duplex } from "node:stream";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import {
  type AcceptLink,
  CALL_WINDOW_BYTES,
  type CallId,
  type Carrier,
  cancelledByPeer,
  type Link,
  type LinkHandler,
  linkLost,
  notOpen,
} from "@orchestrator/transport";
import { brokenFrame, CANCELLED, FrameKind, HELLO, readUint32, UNAVAILABLE } from "./frame.ts";
import { FrameParser } from "./frame-parser.ts";
import { FrameWriter } from "./frame-writer.ts";
import { KeepAlive } from "./keep-alive.ts";
import { checkSize, SocketCall } from "./socket-call.ts";

/** A peer that does not read while this much waits for it is given up: it must not make this process grow without end. */
const MAX_WAITING_BYTES = 256 * 1024 * 1024;
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
  readonly #calls = new Map<CallId, SocketCall>();
  readonly #handler: LinkHandler;
  readonly #ourParity: number;
  readonly #resolveClosed: () => void;
  readonly #onHello: (() => void) | undefined;
  #nextId: number;
  #greeted = false;
  /** This side has said, or heard, that no new calls are welcome. */
  #saidGoaway = false;
  #heardGoaway = false;
  #over = false;
  #graceTimer: NodeJS.Timeout | undefined;

  constructor(socket: Duplex, options: SocketLinkOptions, accept: AcceptLink) {
    this.carrier = options.carrier;
    this.peer = options.peer;
    this.remoteAddress = options.remoteAddress;
    this.#socket = socket;
    this.#ourParity = options.isConnector ? 1 : 0;
    this.#nextId = options.isConnector ? 1 : 2;
    this.#onHello = options.onHello;
    const closed = Promise.withResolvers<void>();
    this.closed = closed.promise;
    this.#resolveClosed = closed.resolve;
    this.#writer = new FrameWriter(socket, FrameKind.Part, () => this.#callEnded());
    this.#parser = new FrameParser((kind, call, payload) => this.#frame(kind, call, payload));
    const keepAliveMs = options.keepAliveMs ?? 0;
    this.#keepAlive =
      keepAliveMs > 0
        ? new KeepAlive(
            keepAliveMs,
            () => this.#writer.frame(FrameKind.Ping, 0, NOTHING),
            () => this.abort(linkLost(this.peer, `is silent for ${2 * keepAliveMs} ms`)),
          )
        : undefined;
    this.#writer.frame(FrameKind.Hello, 0, HELLO);
    this.#handler = accept(this);
    socket.on("data", (chunk: Uint8Array) => this.#data(chunk));
    socket.on("end", () => this.#ended());
    socket.on("error", (error: Error) => this.#lost(linkLost(this.peer, `broke: ${error.message}`)));
    socket.on("close", () => this.#ended());
  }

  get isOpen(): boolean {
    return !this.#over && !this.#saidGoaway && !this.#heardGoaway;
  }

  open(payload: Uint8Array, last: boolean): CallId {
    if (!this.isOpen) throw notOpen(this.peer);
    checkSize(payload);
    const id = this.#freeId();
    const call = new SocketCall(id, true);
    this.#calls.set(id, call);
    if (!last) call.sendWindow -= payload.length;
    this.#writer.message(last ? FrameKind.RequestLast : FrameKind.Request, id, payload);
    this.#checkBacklog();
    return id;
  }

  send(id: CallId, payload: Uint8Array, last: boolean): boolean {
    checkSize(payload);
    const call = this.#calls.get(id);
    if (call === undefined) return true;
    const kind = last ? FrameKind.MessageLast : FrameKind.Message;
    if (call.sendWindow <= 0) {
      call.waiting ??= [];
      call.waiting.push({ kind, payload });
      call.owesDrained = !last;
      return false;
    }
    this.#sendNow(call, kind, payload);
    if (last || call.sendWindow > 0) return true;
    call.owesDrained = true;
    return false;
  }

  cancel(id: CallId): void {
    if (!this.#calls.delete(id)) return;
    this.#writer.drop(id);
    this.#writer.frame(FrameKind.Cancel, id, Uint8Array.of(CANCELLED));
    this.#callEnded();
  }

  credit(id: CallId, bytes: number): void {
    const call = this.#calls.get(id);
    if (call === undefined || bytes <= 0) return;
    call.receiveWindow += bytes;
    const payload = Uint8Array.of(bytes >>> 24, bytes >>> 16, bytes >>> 8, bytes);
    this.#writer.frame(FrameKind.Credit, id, payload);
  }

  async close(graceMs = 5_000): Promise<void> {
    if (this.#over) return await this.closed;
    if (!this.#saidGoaway) {
      this.#saidGoaway = true;
      this.#writer.frame(FrameKind.Goaway, 0, NOTHING);
    }
    clearTimeout(this.#graceTimer);
    this.#graceTimer = setTimeout(() => this.#finishClosing(), graceMs);
    this.#callEnded();
    await this.closed;
  }

  abort(reason: HubError): void {
    if (this.#over) return;
    this.#lost(reason);
    this.#socket.destroy();
  }

  #data(chunk: Uint8Array): void {
    if (this.#over) return;
    this.#keepAlive?.heard();
    try {
      this.#parser.push(chunk);
    } catch (reason) {
      this.abort(HubError.from(reason, ErrorCode.Protocol));
    }
  }

  #frame(kind: number, id: number, payload: Uint8Array): void {
    if (this.#over) return;
    if (!this.#greeted) {
      this.#greet(kind, payload);
      return;
    }
    switch (kind) {
      case FrameKind.Request:
      case FrameKind.RequestLast:
        this.#request(id, payload, kind === FrameKind.RequestLast);
        return;
      case FrameKind.Message:
      case FrameKind.MessageLast:
        this.#message(id, payload, kind === FrameKind.MessageLast);
        return;
      case FrameKind.Part:
        this.#part(id, payload);
        return;
      case FrameKind.Cancel:
        this.#cancelled(id, payload);
        return;
      case FrameKind.Credit:
        this.#credited(id, payload);
        return;
      case FrameKind.Ping:
        if (payload.length > 8) throw brokenFrame("a ping of more than 8 bytes");
        this.#writer.frame(FrameKind.Pong, 0, payload);
        return;
      case FrameKind.Pong:
        return;
      case FrameKind.Goaway:
        this.#heardGoaway = true;
        this.#callEnded();
        return;
      default:
        throw brokenFrame(`frame kind ${kind} at this place`);
    }
  }

  #greet(kind: number, payload: Uint8Array): void {
    const magic = HELLO.subarray(0, 4);
    if (kind !== FrameKind.Hello || payload.length < 5 || magic.some((byte, index) => payload[index] !== byte)) {
      throw brokenFrame("its first frame is no hello");
    }
    if (payload[4] !== HELLO[4]) throw brokenFrame(`it speaks version ${payload[4]}, this side ${HELLO[4]}`);
    this.#greeted = true;
    this.#onHello?.();
  }

  #request(id: number, payload: Uint8Array, last: boolean): void {
    const known = this.#calls.get(id);
    // A long first message was announced by its pieces.
    if (known !== undefined && !(known.isAnnounced && !known.isOurs)) throw brokenFrame(`call ${id} was opened twice`);
    if (known === undefined) this.#checkForeign(id);
    const call = known ?? new SocketCall(id, false);
    call.isAnnounced = false;
    const message = call.whole(payload);
    if (this.#saidGoaway) {
      this.#calls.delete(id);
      this.#writer.frame(FrameKind.Cancel, id, Uint8Array.of(UNAVAILABLE));
      return;
    }
    this.#calls.set(id, call);
    if (!last) call.received(message.length);
    this.#handler.request(id, message, last);
  }

  #message(id: number, payload: Uint8Array, last: boolean): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    if (call.isAnnounced) throw brokenFrame(`a message on call ${id} before its request`);
    const message = call.whole(payload);
    if (!last) call.received(message.length);
    else if (call.isOurs) this.#calls.delete(id);
    this.#handler.message(id, message, last);
    if (last && call.isOurs) this.#callEnded();
  }

  #part(id: number, payload: Uint8Array): void {
    let call = this.#calls.get(id);
    if (call === undefined) {
      // A piece of a call of ours that is over is let go; one of the peer's is the start of a long request.
      if ((id & 1) === this.#ourParity) return;
      this.#checkForeign(id);
      call = new SocketCall(id, false);
      call.isAnnounced = true;
      this.#calls.set(id, call);
    }
    call.addPart(payload);
  }

  #cancelled(id: number, payload: Uint8Array): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    this.#writer.drop(id);
    const unavailable = payload[0] === UNAVAILABLE;
    if (!call.isAnnounced) {
      this.#handler.cancelled(id, unavailable ? linkLost(this.peer, "takes no more calls") : cancelledByPeer());
    }
    this.#callEnded();
  }

  #credited(id: number, payload: Uint8Array): void {
    if (payload.length !== 4) throw brokenFrame("a credit that is not 4 bytes");
    const call = this.#calls.get(id);
    if (call === undefined) return;
    // A peer that credits more than it received gets no more than a full window.
    call.sendWindow = Math.min(call.sendWindow + readUint32(payload, 0), CALL_WINDOW_BYTES);
    const { waiting } = call;
    if (waiting !== undefined) {
      while (waiting.length > 0 && call.sendWindow > 0) {
        const { kind, payload: message } = waiting.shift()!;
        this.#sendNow(call, kind, message);
      }
      if (waiting.length > 0) return;
      call.waiting = undefined;
    }
    if (!call.owesDrained || call.sendWindow <= 0) return;
    call.owesDrained = false;
    this.#handler.drained(id);
  }

  #sendNow(call: SocketCall, kind: FrameKind, payload: Uint8Array): void {
    const last = kind === FrameKind.MessageLast;
    if (!last) call.sendWindow -= payload.length;
    this.#writer.message(kind, call.id, payload);
    // An answer is the end of the call for the side that gives it.
    if (last && !call.isOurs) {
      this.#calls.delete(call.id);
      this.#callEnded();
    }
    this.#checkBacklog();
  }

  #freeId(): number {
    let id: number;
    do {
      id = this.#nextId;
      // 31 bits of ids per side, then again from the start: those of calls that still run are passed over.
      this.#nextId = id + 2 > 0xffffffff ? (this.#ourParity === 1 ? 1 : 2) : id + 2;
    } while (this.#calls.has(id));
    return id;
  }

  #checkForeign(id: number): void {
    if (id === 0 || (id & 1) === this.#ourParity) throw brokenFrame(`call id ${id} is not the peer's to choose`);
  }

  #checkBacklog(): void {
    if (this.#socket.writableLength < MAX_WAITING_BYTES) return;
    const what = `has ${this.#socket.writableLength} bytes waiting and reads nothing`;
    queueMicrotask(() => this.abort(new HubError(ErrorCode.ResourceExhausted, linkLost(this.peer, what).message)));
  }

  /** A call is over: a link that closes may be done now. */
  #callEnded(): void {
    if (!this.#saidGoaway || this.#over || this.#calls.size > 0 || this.#writer.hasBulk) return;
    this.#finishClosing();
  }

  #finishClosing(): void {
    if (this.#over) return;
    this.#writer.flush();
    this.#lost(this.#calls.size === 0 ? undefined : linkLost(this.peer, "was closed"));
    // The peer reads what was sent, sees the end and ends its side; one that does not is cut off.
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), 1_000);
    this.#socket.once("close", () => clearTimeout(timer));
  }

  #ended(): void {
    const graceful = this.#heardGoaway && this.#calls.size === 0 && this.#parser.idle;
    this.#lost(graceful ? undefined : linkLost(this.peer, "was closed by the peer"));
    this.#socket.end();
  }

  #lost(error: HubError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#graceTimer);
    this.#keepAlive?.stop();
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    const reason = error ?? linkLost(this.peer, "was closed");
    for (const call of calls) if (!call.isAnnounced) this.#handler.cancelled(call.id, reason);
    this.#handler.closed(error);
    this.#resolveClosed();
  }
}
