import type { HubError } from "@orchestrator/protocol";
import {
  CALL_WINDOW_BYTES,
  type CallId,
  type Link,
  type LinkHandler,
  linkLost,
  notOpen,
} from "@orchestrator/transport";
import { Arrivals } from "./arrivals.ts";
import { CallEndings } from "./call-endings.ts";
import { CallTable } from "./call-table.ts";
import { AppCode } from "./codes.ts";
import { Deliveries } from "./deliveries.ts";
import { Farewell } from "./farewell.ts";
import type { LinkContext } from "./link-context.ts";
import { checkSize, type LinkLimits, UNTIL_SERVED, type Wire } from "./link-rules.ts";
import { StopSweep } from "./stop-sweep.ts";

/** Calls as streams of one QUIC connection: one call is one bidirectional stream, which either side may open. */
export class QuicLink implements Link {
  readonly peer: string;
  readonly carrier = "quic";
  readonly closed: Promise<void>;
  readonly #wire: Wire;
  readonly #context: LinkContext;
  readonly #calls: CallTable;
  readonly #endings: CallEndings;
  readonly #deliveries: Deliveries;
  readonly #arrivals: Arrivals;
  readonly #sweep: StopSweep;
  readonly #farewell = new Farewell(() => this.#shut(AppCode.Done, undefined));
  #resolveClosed!: () => void;
  /** A call that was left unread may be read again. */
  #hasRoom = false;

  constructor(peer: string, wire: Wire, limits: LinkLimits) {
    const { engine, role } = wire;
    const [ofThisSide, ofPeer] = role === "client" ? [0, 1] : [1, 0];
    this.peer = peer;
    this.#wire = wire;
    this.#calls = new CallTable(engine, ofThisSide);
    this.#context = { peer, wire, engine, limits, calls: this.#calls, handler: UNTIL_SERVED, phase: "open" };
    this.#endings = new CallEndings(this.#context);
    this.#deliveries = new Deliveries(this.#context, this.#endings);
    this.#arrivals = new Arrivals(this.#context, this.#endings, this.#deliveries, ofPeer);
    this.#sweep = new StopSweep(this.#context, this.#endings);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  get remoteAddress(): string {
    return this.#wire.remoteAddress;
  }

  get isOpen(): boolean {
    return this.#context.phase === "open";
  }

  /** To be called once, before anything is delivered. */
  serve(handler: LinkHandler): void {
    this.#context.handler = handler;
  }

  open(payload: Uint8Array, last: boolean): CallId {
    checkSize(payload);
    if (!this.isOpen) throw notOpen(this.peer);
    const call = this.#calls.add();
    call.saidLast = last;
    if (call.stream < 0) {
      call.enqueue(payload, 0, last);
      // A stream that the peer forgot to end may be in the way.
      this.#endings.expireLingering(Date.now());
    } else {
      this.#endings.writer.send(call, payload, last);
      this.#wire.changed();
    }
    return call.id;
  }

  send(id: CallId, payload: Uint8Array, last: boolean): boolean {
    checkSize(payload);
    const call = this.#calls.find(id);
    if (call === undefined || call.over || call.saidLast) return true;
    call.saidLast = last;
    if (last && !call.opener) this.#endings.answeredHere(call);
    if (call.sendDone) return true;
    if (call.stream < 0) {
      call.enqueue(payload, 0, last);
      return true;
    }
    const room = this.#endings.writer.send(call, payload, last);
    this.#wire.changed();
    return room || last;
  }

  cancel(id: CallId): void {
    const call = this.#calls.find(id);
    if (call === undefined || call.over) return;
    const answered = call.opener && call.sendDone && call === this.#deliveries.current;
    if (answered) this.#endings.cancelAnswered(call);
    else this.#endings.cancel(call);
  }

  credit(id: CallId, bytes: number): void {
    const call = this.#calls.find(id);
    if (call === undefined || call.over) return;
    const before = call.uncredited;
    call.uncredited = before - bytes;
    if (before < CALL_WINDOW_BYTES || call.uncredited >= CALL_WINDOW_BYTES) return;
    // What was left unread has to be fetched, but not in here: the caller may be in the middle of handling a message.
    this.#hasRoom = true;
    this.#wire.changed();
  }

  close(graceMs = 5_000): Promise<void> {
    if (this.#context.phase === "closed") return this.closed;
    this.#context.phase = "closing";
    this.#farewell.allow(graceMs);
    this.#closeWhenIdle();
    return this.closed;
  }

  abort(reason: HubError): void {
    this.#shut(AppCode.Unavailable, reason);
  }

  /** Datagrams came in, or room was made: reads, writes and opens what can be. */
  advance(nowMs: number): void {
    this.#endings.writer.received();
    this.#arrivals.read(false);
    if (this.#context.phase === "closed") return;
    this.#endings.writer.retry();
    this.#openWaiting();
    this.#sweep.arrived();
    this.#endings.expireLingering(nowMs);
    if (this.#context.phase === "closing") this.#closeWhenIdle();
  }

  /** Something waits for word of the peer: room, a stream, or the end. */
  get isHeldUp(): boolean {
    return this.#endings.writer.isBlocked || this.#calls.waiting > 0 || this.#context.phase !== "open";
  }

  /** Before what changed is sent: reads what `credit` made room for. */
  beforeSending(): void {
    if (!this.#hasRoom || this.#context.phase === "closed") return;
    this.#hasRoom = false;
    this.#arrivals.read(false);
  }

  /** The connection is gone. What had arrived before is delivered first. */
  lost(error: HubError | undefined): void {
    if (this.#context.phase === "closed") return;
    this.#arrivals.read(true);
    this.#finish(error);
  }

  /** When `expireLingering` is due, in epoch milliseconds. */
  get lingerDueMs(): number {
    return this.#endings.lingerDueMs;
  }

  expireLingering(nowMs: number): void {
    this.#endings.expireLingering(nowMs);
  }

  #openWaiting(): void {
    // One by one: the engine counts a stream only when it has taken the first bytes, and a handler that `start` calls may
    // cancel calls that wait.
    for (;;) {
      const call = this.#calls.takeWaiting();
      if (call === undefined) return;
      this.#endings.writer.start(call);
      this.#wire.changed();
    }
  }

  #closeWhenIdle(): void {
    if (this.#calls.open > 0) return;
    // The peer must have what was sent last before it hears of the end.
    if (this.#endings.settled) this.#shut(AppCode.Done, undefined);
    else if (this.#farewell.awaitLastAck()) this.#wire.ping();
  }

  #shut(code: AppCode, reason: HubError | undefined): void {
    if (this.#context.phase === "closed") return;
    this.#wire.close(code, code === AppCode.Done ? "" : "aborted");
    this.#finish(reason);
  }

  #finish(reason: HubError | undefined): void {
    const { handler } = this.#context;
    this.#context.phase = "closed";
    this.#sweep.stop();
    this.#farewell.stop();
    this.#endings.clear();
    const error = reason ?? linkLost(this.peer, "was closed");
    for (const call of this.#calls.clear()) {
      const heardOf = !call.over && (call.opener || call.received);
      call.over = true;
      call.receiveDone = true;
      this.#endings.writer.forget(call);
      if (heardOf) handler.cancelled(call.id, error);
    }
    handler.closed(reason);
    this.#resolveClosed();
  }
}
