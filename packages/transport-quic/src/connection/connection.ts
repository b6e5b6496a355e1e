import { clearTimeout, setTimeout } from "node:timers";
import type { HubError } from "@orchestrator/protocol";
import type { EngineConnection } from "../engine/engine.ts";
import type { Wire } from "../link/link-rules.ts";
import type { QuicLink } from "../link/quic-link.ts";
import type { Settings } from "../options.ts";
import { closeError, handshakeTimedOut, idleTimedOut } from "./close-error.ts";
import { Impatience } from "./impatience.ts";
import type { Turn } from "./turn.ts";

/** Set in the first byte of the packets of a handshake. */
const LONG_HEADER = 0x80;
/** So many received bytes are acknowledged at once: a sender of more waits for it. */
const PROMPT_BYTES = 4_096;
/** Datagrams up to this size may carry acknowledgements alone; what they set free, a stream for example, is not kept waiting. */
const BARE_ACK_BYTES = 128;
/** QUIC takes a packet for lost once one that was sent so many later is acknowledged. */
const PROOF_OF_LOSS = 3;

/** What a connection needs of the endpoint that owns it, and tells it. */
export interface ConnectionOwner {
  readonly settings: Settings;
  readonly turn: Turn;
  /** Memory for the next datagram, and its sending. */
  reserve(): Uint8Array;
  send(connection: Connection, bytes: number): void;
  /** The handshake is complete. @returns the link, or undefined after it has refused the peer by `close` or `fail` */
  established(connection: Connection): QuicLink | undefined;
  /** The connection is gone, and is to be forgotten. `error` is absent after a graceful close. */
  gone(connection: Connection, error: HubError | undefined): void;
}

/** Drives one engine connection: datagrams in, datagrams out, time. */
export class Connection implements Wire {
  readonly engine: EngineConnection;
  readonly role: "client" | "server";
  readonly remoteAddress: string;
  readonly remote: { readonly host: string; readonly port: number };
  readonly #owner: ConnectionOwner;
  readonly #handshakeEndsMs: number;
  #link: QuicLink | undefined;
  #impatience: Impatience | undefined;
  #gone = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, in epoch milliseconds. It is never moved back: waking up once too often is cheaper. */
  #timerMs = Number.POSITIVE_INFINITY;
  /** When to ask a silent peer for a sign of life. */
  #keepAliveMs: number;
  /** Received since something was sent last. */
  #unackedBytes = 0;
  /** A datagram of this turn asks for an answer at once. */
  #prompt = true;
  /** A packet with the final keys came in. */
  #confirmed = false;
  /** A datagram broke the connection, or was no start of one. */
  #failed = false;

  constructor(
    owner: ConnectionOwner,
    role: "client" | "server",
    engine: EngineConnection,
    remote: { readonly host: string; readonly port: number },
    remoteAddress: string,
  ) {
    this.#owner = owner;
    this.role = role;
    this.engine = engine;
    this.remote = remote;
    this.remoteAddress = remoteAddress;
    const nowMs = Date.now();
    this.#keepAliveMs = nowMs + owner.settings.keepAliveMs;
    this.#handshakeEndsMs = nowMs + owner.settings.handshakeTimeoutMs;
  }

  get link(): QuicLink | undefined {
    return this.#link;
  }

  /** One datagram. What follows from it waits until all of this poll are in. */
  receive(datagram: Uint8Array): void {
    if (this.#gone) return;
    if ((datagram[0]! & LONG_HEADER) === 0) this.#confirmed = true;
    this.#unackedBytes += datagram.length;
    if (datagram.length <= BARE_ACK_BYTES) this.#prompt = true;
    if (!this.engine.receive(datagram)) this.#failed = true;
    this.#owner.turn.received(this);
  }

  /** All datagrams of this poll are in. */
  advance(nowMs: number): void {
    if (this.#gone) return;
    this.#keepAliveMs = nowMs + this.#owner.settings.keepAliveMs;
    if (this.#link === undefined) {
      this.#prompt = true;
      if (this.#isReady()) {
        this.#link = this.#owner.established(this);
        this.#impatience = new Impatience(this.engine.idleTimeoutMs(this.#owner.settings.idleTimeoutMs), nowMs);
      }
    }
    this.#impatience?.heard(nowMs);
    if (this.#gone) return;
    if (this.#failed || this.engine.closing) {
      // The alert that tells the peer why may still have to go out.
      this.#transmit();
      this.#lost();
      return;
    }
    this.#link?.advance(nowMs);
    if (this.#prompt || this.#unackedBytes >= PROMPT_BYTES || this.#link?.isHeldUp !== false) this.changed();
    else this.#owner.turn.acknowledge(this);
  }

  ping(): void {
    this.engine.ping();
    this.changed();
  }

  changed(): void {
    if (!this.#gone) this.#owner.turn.changed(this);
  }

  /** Sends everything there is to send, and sets the timer. */
  flush(): void {
    if (this.#gone) return;
    this.#link?.beforeSending();
    if (this.#gone) return;
    this.#unackedBytes = 0;
    this.#prompt = false;
    this.#transmit();
    this.#setTimer();
  }

  /** Sends acknowledgements that nothing else took along. */
  flushAcks(): void {
    if (this.#unackedBytes > 0) this.flush();
  }

  close(code: number, text: string): void {
    if (this.#gone) return;
    this.engine.close(true, code, text);
    this.#transmit();
    this.#forget(undefined);
  }

  /** Ends the connection for a reason that this side found. @param code QUIC's transport error for the peer */
  fail(error: HubError, code = 0): void {
    if (this.#gone) return;
    this.engine.close(false, code, "");
    this.#transmit();
    this.#end(error);
  }

  #end(error: HubError | undefined): void {
    if (this.#gone) return;
    this.#forget(error);
    this.#link?.lost(error);
  }

  /**
   * In TLS 1.3 a client is done before the server has looked at its certificate. The server's first packet under the final
   * keys says that it liked it.
   */
  #isReady(): boolean {
    return this.engine.established && (this.role === "server" || this.#confirmed);
  }

  #lost(): void {
    const reason = this.engine.closeReason;
    // Garbage in the guise of a first packet: nothing to report, nobody to answer.
    if (reason === undefined && this.#failed && this.#link === undefined) this.#end(undefined);
    else if (reason === undefined && this.engine.timedOut) this.#end(idleTimedOut(this.remoteAddress));
    else this.#end(closeError(reason, this.remoteAddress, this.#link !== undefined));
  }

  #forget(error: HubError | undefined): void {
    this.#gone = true;
    clearTimeout(this.#timer);
    this.#owner.gone(this, error);
  }

  #transmit(): void {
    for (;;) {
      const bytes = this.engine.transmit(this.#owner.reserve());
      if (bytes === 0) return;
      this.#owner.send(this, bytes);
    }
  }

  #setTimer(): void {
    const engineMs = this.engine.timeout();
    const nowMs = Date.now();
    let dueMs = this.#link === undefined ? this.#handshakeEndsMs : this.#keepAliveMs;
    if (engineMs >= 0) dueMs = Math.min(dueMs, nowMs + engineMs);
    if (this.#link !== undefined) dueMs = Math.min(dueMs, this.#link.lingerDueMs);
    if (this.#impatience !== undefined) dueMs = Math.min(dueMs, this.#impatience.sent(engineMs, nowMs));
    if (dueMs >= this.#timerMs) return;
    clearTimeout(this.#timer);
    this.#timerMs = dueMs;
    this.#timer = setTimeout(this.#elapsed, Math.max(1, Math.ceil(dueMs - nowMs))).unref();
  }

  readonly #elapsed = (): void => {
    this.#timerMs = Number.POSITIVE_INFINITY;
    if (this.#gone) return;
    const nowMs = Date.now();
    if (this.engine.timeout() === 0) this.engine.elapsed();
    if (this.#link === undefined && nowMs >= this.#handshakeEndsMs) {
      this.fail(handshakeTimedOut(this.remoteAddress));
      return;
    }
    if (this.engine.closing) {
      this.#lost();
      return;
    }
    if (this.#link !== undefined) {
      if (nowMs >= this.#keepAliveMs) {
        this.engine.ping();
        this.#keepAliveMs = nowMs + this.#owner.settings.keepAliveMs;
      }
      if (this.#impatience?.isDue(nowMs) === true) this.#prove();
      this.#link.expireLingering(nowMs);
    }
    this.changed();
  };

  /** Asks the peer, once in each packet, for what proves a loss. */
  #prove(): void {
    for (let packet = 0; packet < PROOF_OF_LOSS; packet++) {
      this.engine.ping();
      this.#transmit();
    }
  }
}
