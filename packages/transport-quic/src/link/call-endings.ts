import type { HubError } from "@orchestrator/protocol";
import type { Call } from "./call.ts";
import { CallWriter, type WriteEvents } from "./call-writer.ts";
import { AppCode, errorOfCode } from "./codes.ts";
import { LingeringCalls } from "./lingering-calls.ts";
import type { LinkContext } from "./link-context.ts";
import { RetiredStreams } from "./retired-streams.ts";

/**
 * How calls end: for this side's handler, for the peer, and when a stream can be forgotten. The two directions of a stream end
 * one by one, and the call may be over for the handler before both have.
 */
export class CallEndings implements WriteEvents {
  readonly writer: CallWriter;
  readonly #retired = new RetiredStreams();
  readonly #context: LinkContext;
  /** Calls of the peer that were answered. */
  readonly #unfinished: LingeringCalls;
  /** Calls of this side of which the answer is here. */
  readonly #unended: LingeringCalls;

  constructor(context: LinkContext) {
    this.#context = context;
    this.writer = new CallWriter(context.engine, this);
    this.#unfinished = new LingeringCalls(context.limits.lingerMs);
    this.#unended = new LingeringCalls(context.limits.lingerMs);
  }

  // By this side

  /** Ends a call at once in both directions. */
  cancel(call: Call): void {
    this.#end(call);
    this.giveUp(call, AppCode.Cancelled);
  }

  /**
   * The handler takes the message that it is being given for the whole answer, although the peer did not say so. Peers that end
   * their stream in a packet of its own do it in a moment, and are not to be told that they were cancelled; who does not is.
   */
  cancelAnswered(call: Call): void {
    this.#end(call);
    this.#unended.add(call);
    this.#context.wire.changed();
  }

  /** Turns a call away that came while the link is closing; the handler never hears of it. */
  refuse(call: Call): void {
    this.#end(call);
    this.giveUp(call, AppCode.Unavailable);
  }

  /** This side has sent its answer, or it is queued. */
  answeredHere(call: Call): void {
    call.over = true;
    this.#context.calls.unanswered--;
  }

  // By the peer

  /** The peer has given its last message on a call that this side opened. */
  answered(call: Call): void {
    this.#end(call);
    this.writer.forget(call);
    if (!call.sendDone) {
      // Ends this side's direction: quiche can lose a FIN without data, a reset it repeats.
      call.sendDone = true;
      this.#context.engine.reset(call.stream, AppCode.Done);
      this.#context.wire.changed();
    }
    this.retireIfDone(call);
  }

  /** More came on a call that is over. */
  unwanted(call: Call): void {
    if (this.#unended.delete(call)) this.giveUp(call, AppCode.Cancelled);
  }

  /** Ends a call for this side's handler (if it knows of it) and on the wire. */
  lose(call: Call, code: AppCode, error: HubError): void {
    this.#end(call);
    this.giveUp(call, code);
    if (call.opener || call.received) this.#context.handler.cancelled(call.id, error);
  }

  stoppedByPeer(call: Call, code: number): void {
    this.writer.forget(call);
    call.sendDone = true;
    if (call.over) this.#sendEnded(call);
    else if (!call.opener || !call.exists) this.lose(call, AppCode.Cancelled, errorOfCode(code, this.#context.peer));
  }

  sent(call: Call): void {
    call.sendDone = true;
    if (call.over) this.#sendEnded(call);
  }

  drained(call: Call): void {
    if (!call.over && !call.saidLast) this.#context.handler.drained(call.id);
  }

  // The stream

  /** Stops both directions of a stream, where they are not at their end, and forgets it. */
  giveUp(call: Call, code: AppCode): void {
    this.writer.forget(call);
    this.#unfinished.delete(call);
    call.payload = undefined;
    const { calls, wire } = this.#context;
    if (call.stream < 0) {
      calls.dropWaiting(call);
      return;
    }
    calls.byStream.delete(call.stream);
    this.#stop(call, code);
    wire.changed();
  }

  retireIfDone(call: Call): void {
    if (!call.receiveDone || !call.sendDone) return;
    if (!this.#context.calls.byStream.delete(call.stream)) return;
    this.#unfinished.delete(call);
    this.#unended.delete(call);
    this.#retired.add(call.stream);
  }

  /** When the oldest stream that the peer keeps half open is due, in epoch milliseconds. */
  get lingerDueMs(): number {
    return Math.min(this.#unfinished.dueMs, this.#unended.dueMs);
  }

  /** Nothing that was sent is still on its way, and no peer was answered without having finished: a graceful close may be. */
  get settled(): boolean {
    return this.#retired.allForgotten(this.#context.engine) && this.#unfinished.size === 0;
  }

  /**
   * Makes an end to streams that the peer keeps half open: each costs a stream of somebody's limit. The oldest go at once when
   * those of the peer use up half of its limit, or when calls of this side have to wait for a stream.
   */
  expireLingering(nowMs: number): void {
    const { calls, limits } = this.#context;
    this.#expire(this.#unfinished, nowMs, Math.floor(limits.maxConcurrentCalls / 2));
    this.#expire(this.#unended, nowMs, calls.waiting > 0 ? 0 : Number.POSITIVE_INFINITY);
  }

  clear(): void {
    this.#unfinished.clear();
    this.#unended.clear();
  }

  #expire(lingering: LingeringCalls, nowMs: number, most: number): void {
    while (lingering.size > 0) {
      const call = lingering.takeDue(nowMs, most);
      if (call === undefined) return;
      this.giveUp(call, AppCode.Done);
    }
  }

  #stop(call: Call, code: AppCode): void {
    const { engine } = this.#context;
    if (!call.receiveDone) engine.stop(call.stream, code);
    // Also where FIN was taken, when it says nothing new: quiche looks whether a stream is complete only when something that it
    // sent is acknowledged, and the rest may have been, long ago.
    engine.reset(call.stream, code);
    call.receiveDone = true;
    call.sendDone = true;
  }

  #end(call: Call): void {
    const { calls, wire } = this.#context;
    call.over = true;
    if (!call.opener) calls.unanswered--;
    // The last call of a link that is closing lets it.
    if (calls.settle(call) && calls.open === 0 && this.#context.phase === "closing") wire.changed();
  }

  /** The answer is out; the peer may still have to end its direction. */
  #sendEnded(call: Call): void {
    const { calls, wire } = this.#context;
    if (calls.settle(call) && calls.open === 0 && this.#context.phase === "closing") wire.changed();
    if (call.receiveDone) this.retireIfDone(call);
    else if (!call.opener) this.#unfinished.add(call);
  }
}
