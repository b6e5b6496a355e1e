import { clearTimeout, setTimeout } from "node:timers";
import { ErrorCode, HubError, MAX_FRAME_BYTES } from "@orchestrator/protocol";
import {
  CALL_WINDOW_BYTES,
  type CallId,
  type Link,
  type LinkHandler,
  linkLost,
  notOpen,
} from "@orchestrator/transport";
import type { EngineConnection } from "../engine/engine.ts";
import { Call } from "./call.ts";
import { CallReader, type ReadEvents } from "./call-reader.ts";
import { CallWriter, type WriteEvents } from "./call-writer.ts";
import { AppCode, errorOfCode } from "./codes.ts";
import {
  checkSize,
  EMPTY,
  LAST_ACK_MS,
  type LinkLimits,
  SWEEP_AT_ONCE,
  SWEEP_MS,
  UNTIL_SERVED,
  type Wire,
} from "./link-rules.ts";
import { RetiredStreams } from "./retired-streams.ts";

/** Calls as streams of one QUIC connection: one call is one bidirectional stream, which either side may open. */
export class QuicLink implements Link, ReadEvents, WriteEvents {
  readonly peer: string;
  readonly carrier = "quic";
  readonly closed: Promise<void>;
  readonly #wire: Wire;
  readonly #engine: EngineConnection;
  readonly #limits: LinkLimits;
  readonly #reader: CallReader;
  readonly #writer: CallWriter;
  readonly #byStream = new Map<number, Call>();
  /** Calls that had to wait for a stream, by their (negative) id, until they end. */
  readonly #late = new Map<CallId, Call>();
  readonly #waiting: Call[] = [];
  /** Answered calls of which the peer has not ended its direction, and until when it may; oldest first. */
  readonly #lingering = new Map<Call, number>();
  readonly #retired = new RetiredStreams();
  #handler: LinkHandler = UNTIL_SERVED;
  #resolveClosed!: () => void;
  #nextStream: number;
  #nextLateId = -1;
  #streamsLeft = 0;
  #state: "open" | "closing" | "closed" = "open";
  #openCalls = 0;
  /** A call that was left unread may be read again. */
  #hasRoom = false;
  /** Calls of the peer that are not answered yet. */
  #unanswered = 0;
  #sweep: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;
  #graceEndsMs = Number.POSITIVE_INFINITY;
  #lastAck: NodeJS.Timeout | undefined;

  constructor(peer: string, wire: Wire, limits: LinkLimits) {
    this.peer = peer;
    this.#wire = wire;
    this.#engine = wire.engine;
    this.#limits = limits;
    this.#nextStream = wire.role === "client" ? 0 : 1;
    this.#reader = new CallReader(wire.engine, this);
    this.#writer = new CallWriter(wire.engine, this);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  get remoteAddress(): string {
    return this.#wire.remoteAddress;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** To be called once, before anything is delivered. */
  serve(handler: LinkHandler): void {
    this.#handler = handler;
  }

  open(payload: Uint8Array, last: boolean): CallId {
    checkSize(payload);
    if (this.#state !== "open") throw notOpen(this.peer);
    const now = this.#waiting.length === 0 && this.#takeStream();
    const call = new Call(now ? this.#nextStream : this.#nextLateId--, -1, true);
    call.saidLast = last;
    this.#openCalls++;
    if (now) {
      this.#assignStream(call);
      this.#writer.send(call, payload, last);
      this.#wire.changed();
    } else {
      call.enqueue(payload, 0, last);
      this.#late.set(call.id, call);
      this.#waiting.push(call);
    }
    return call.id;
  }

  send(id: CallId, payload: Uint8Array, last: boolean): boolean {
    checkSize(payload);
    const call = this.#find(id);
    if (call === undefined || call.over || call.saidLast) return true;
    call.saidLast = last;
    if (last && !call.opener) {
      call.over = true;
      this.#unanswered--;
    }
    if (call.sendDone) return true;
    if (call.stream < 0) {
      call.enqueue(payload, 0, last);
      return true;
    }
    const room = this.#writer.send(call, payload, last);
    this.#wire.changed();
    return room || last;
  }

  cancel(id: CallId): void {
    const call = this.#find(id);
    if (call === undefined || call.over) return;
    this.#end(call);
    this.#giveUp(call, AppCode.Cancelled);
  }

  credit(id: CallId, bytes: number): void {
    const call = this.#find(id);
    if (call === undefined || call.over) return;
    const before = call.uncredited;
    call.uncredited = before - bytes;
    if (before < CALL_WINDOW_BYTES || call.uncredited >= CALL_WINDOW_BYTES) return;
    // What was left unread has to be fetched, but not in here: the caller may be in the middle of handling a message.
    this.#hasRoom = true;
    this.#wire.changed();
  }

  close(graceMs = 5_000): Promise<void> {
    if (this.#state === "closed") return this.closed;
    this.#state = "closing";
    const endsMs = Date.now() + graceMs;
    if (endsMs < this.#graceEndsMs) {
      this.#graceEndsMs = endsMs;
      clearTimeout(this.#grace);
      this.#grace = setTimeout(() => this.#shut(AppCode.Done, undefined), graceMs);
    }
    this.#closeWhenIdle();
    return this.closed;
  }

  abort(reason: HubError): void {
    this.#shut(AppCode.Unavailable, reason);
  }

  /** Datagrams came in, or room was made: reads, writes and opens what can be. */
  advance(nowMs: number): void {
    this.#writer.received();
    this.#read(false);
    if (this.#state === "closed") return;
    this.#writer.retry();
    this.#openWaiting();
    if (this.#unanswered > 0) this.#scheduleSweep();
    if (this.#lingering.size > 0) this.expireLingering(nowMs);
    if (this.#state === "closing") this.#closeWhenIdle();
  }

  /** Before what changed is sent: reads what `credit` made room for. */
  beforeSending(): void {
    if (!this.#hasRoom || this.#state === "closed") return;
    this.#hasRoom = false;
    this.#read(false);
  }

  /** The connection is gone. What had arrived before is delivered first. */
  lost(error: HubError | undefined): void {
    if (this.#state === "closed") return;
    this.#read(true);
    this.#finish(error);
  }

  /** When the oldest answered call that the peer has not ended is due, in epoch milliseconds. */
  get lingerDueMs(): number {
    for (const dueMs of this.#lingering.values()) return dueMs;
    return Number.POSITIVE_INFINITY;
  }

  /**
   * Makes an end to streams that the peer keeps half open after its answer: each costs it a stream of its limit. The oldest go
   * at once when they use up half of that limit.
   */
  expireLingering(nowMs: number): void {
    for (const [call, dueMs] of this.#lingering) {
      if (dueMs > nowMs && this.#lingering.size * 2 <= this.#limits.maxConcurrentCalls) return;
      this.#lingering.delete(call);
      this.#byStream.delete(call.stream);
      call.receiveDone = true;
      // The reset says nothing new, the answer with its FIN was sent. But quiche looks whether a stream is complete only when
      // something that it sent is acknowledged, and the answer was, long ago.
      this.#engine.stop(call.stream, AppCode.Done);
      this.#engine.reset(call.stream, AppCode.Done);
      this.#wire.changed();
    }
  }

  // What the reader finds

  message(call: Call, payload: Uint8Array, last: boolean): void {
    if (!last) call.uncredited += payload.length;
    if (call.opener) {
      call.received = true;
      if (last) this.#answered(call);
      this.#handler.message(call.id, payload, last);
    } else if (call.received) {
      this.#handler.message(call.id, payload, last);
    } else {
      call.received = true;
      this.#handler.request(call.id, payload, last);
    }
  }

  finished(call: Call): void {
    if (call.over) {
      this.#retireIfDone(call);
    } else if (call.received) {
      // The peer ended the stream on its own, after its last message.
      this.message(call, EMPTY, true);
    } else {
      this.#broken(call, AppCode.Protocol, "ended the call without a message");
    }
  }

  cutOff(call: Call): void {
    this.#broken(call, AppCode.Protocol, "ended the call in the middle of a message");
  }

  tooLarge(call: Call, length: number): void {
    this.#broken(call, AppCode.FrameTooLarge, `sent a message of ${length} bytes, the limit is ${MAX_FRAME_BYTES}`);
  }

  resetByPeer(call: Call, code: number): void {
    // Without this quiche keeps the stream: it hands the reset out, but counts it as unread data that is still to come.
    this.#engine.stop(call.stream, AppCode.Done);
    if (call.over) this.#retireIfDone(call);
    else this.#lose(call, AppCode.Cancelled, errorOfCode(code, this.peer));
  }

  // What the writer finds

  stoppedByPeer(call: Call, code: number): void {
    this.#writer.forget(call);
    call.sendDone = true;
    if (call.over) {
      this.#sendEnded(call);
    } else if (!call.opener || !call.exists) {
      this.#lose(call, AppCode.Cancelled, errorOfCode(code, this.peer));
    }
  }

  sent(call: Call): void {
    call.sendDone = true;
    if (call.over) this.#sendEnded(call);
  }

  drained(call: Call): void {
    if (!call.over && !call.saidLast) this.#handler.drained(call.id);
  }

  #read(everything: boolean): void {
    for (const stream of this.#engine.readable()) {
      let call = this.#byStream.get(stream);
      if (call === undefined) {
        call = new Call(stream, stream, false);
        this.#byStream.set(stream, call);
        if (this.#state !== "open") {
          call.over = true;
          call.active = false;
          this.#giveUp(call, AppCode.Unavailable);
          continue;
        }
        this.#openCalls++;
        this.#unanswered++;
      }
      this.#reader.read(call, everything);
      if (this.#state === "closed") return;
    }
  }

  #find(id: CallId): Call | undefined {
    return id < 0 ? this.#late.get(id) : this.#byStream.get(id);
  }

  /** Whether a stream can be opened now; the caller then does. */
  #takeStream(): boolean {
    if (this.#streamsLeft <= 0) this.#streamsLeft = this.#engine.streamsLeft();
    if (this.#streamsLeft <= 0) return false;
    this.#streamsLeft--;
    return true;
  }

  #assignStream(call: Call): void {
    call.stream = this.#nextStream;
    this.#nextStream += 4;
    this.#byStream.set(call.stream, call);
  }

  #openWaiting(): void {
    // One by one: the engine counts a stream only when it has taken the first bytes, and a handler that `start` calls may
    // cancel calls that wait.
    while (this.#waiting.length > 0 && this.#takeStream()) {
      const call = this.#waiting.shift()!;
      this.#assignStream(call);
      this.#writer.start(call);
      this.#wire.changed();
    }
  }

  /** The peer has given its last message on a call that this side opened. */
  #answered(call: Call): void {
    this.#end(call);
    this.#writer.forget(call);
    if (!call.sendDone) {
      // Ends this side's direction: quiche can lose a FIN without data, a reset it repeats.
      call.sendDone = true;
      this.#engine.reset(call.stream, AppCode.Done);
      this.#wire.changed();
    }
    this.#retireIfDone(call);
  }

  #broken(call: Call, code: AppCode, what: string): void {
    if (call.over) this.#giveUp(call, code);
    else this.#lose(call, code, new HubError(ErrorCode.Protocol, `${this.peer || "The peer"} ${what}`));
  }

  /** Ends a call for this side's handler (if it knows of it) and on the wire. */
  #lose(call: Call, code: AppCode, error: HubError): void {
    this.#end(call);
    this.#giveUp(call, code);
    if (call.opener || call.received) this.#handler.cancelled(call.id, error);
  }

  #end(call: Call): void {
    call.over = true;
    if (!call.opener) this.#unanswered--;
    this.#settle(call);
  }

  /** The link need not stay open for this call any longer. */
  #settle(call: Call): void {
    if (!call.active) return;
    call.active = false;
    this.#openCalls--;
    if (call.id < 0) this.#late.delete(call.id);
    if (this.#openCalls === 0 && this.#state === "closing") this.#wire.changed();
  }

  /** Stops both directions of a stream, where they are not at their end, and forgets it. */
  #giveUp(call: Call, code: AppCode): void {
    this.#writer.forget(call);
    this.#lingering.delete(call);
    call.payload = undefined;
    if (call.stream < 0) {
      const index = this.#waiting.indexOf(call);
      if (index >= 0) this.#waiting.splice(index, 1);
      return;
    }
    this.#byStream.delete(call.stream);
    if (!call.receiveDone) this.#engine.stop(call.stream, code);
    // Even if FIN was taken: see `expireLingering`.
    this.#engine.reset(call.stream, code);
    call.receiveDone = true;
    call.sendDone = true;
    this.#wire.changed();
  }

  /** The answer is out; the peer may still have to end its direction. */
  #sendEnded(call: Call): void {
    this.#settle(call);
    if (call.receiveDone) this.#retireIfDone(call);
    else this.#lingering.set(call, Date.now() + this.#limits.lingerMs);
  }

  #retireIfDone(call: Call): void {
    if (!call.receiveDone || !call.sendDone) return;
    this.#lingering.delete(call);
    this.#byStream.delete(call.stream);
    this.#retired.add(call.stream);
  }

  #scheduleSweep(): void {
    if (this.#byStream.size <= SWEEP_AT_ONCE) this.#sweepStopped();
    else this.#sweep ??= setTimeout(this.#sweepStopped, SWEEP_MS).unref();
  }

  /**
   * Looks for callers that have cancelled. A request that came with its FIN can only be cancelled by STOP_SENDING, which
   * quiche does not report: it has to be asked for every stream. It may even have forgotten the stream already.
   */
  readonly #sweepStopped = (): void => {
    clearTimeout(this.#sweep);
    this.#sweep = undefined;
    if (this.#state === "closed") return;
    for (const call of this.#byStream.values()) {
      if (!call.opener && !call.over && this.#engine.capacity(call.stream) < 0) {
        this.stoppedByPeer(call, this.#engine.streamError);
      }
    }
  };

  #closeWhenIdle(): void {
    if (this.#openCalls > 0) return;
    // The peer must have what was sent last before it hears of the end.
    if (this.#retired.allForgotten(this.#engine) && this.#lingering.size === 0) {
      this.#shut(AppCode.Done, undefined);
      return;
    }
    this.#lastAck ??= setTimeout(() => this.#shut(AppCode.Done, undefined), LAST_ACK_MS);
  }

  #shut(code: AppCode, reason: HubError | undefined): void {
    if (this.#state === "closed") return;
    this.#wire.close(code, code === AppCode.Done ? "" : "aborted");
    this.#finish(reason);
  }

  #finish(reason: HubError | undefined): void {
    this.#state = "closed";
    clearTimeout(this.#sweep);
    clearTimeout(this.#grace);
    clearTimeout(this.#lastAck);
    const error = reason ?? linkLost(this.peer, "was closed");
    const calls = [...this.#byStream.values(), ...this.#waiting];
    this.#byStream.clear();
    this.#late.clear();
    this.#waiting.length = 0;
    this.#lingering.clear();
    for (const call of calls) {
      const heardOf = !call.over && (call.opener || call.received);
      call.over = true;
      call.receiveDone = true;
      this.#writer.forget(call);
      if (heardOf) this.#handler.cancelled(call.id, error);
    }
    this.#handler.closed(reason);
    this.#resolveClosed();
  }
}
