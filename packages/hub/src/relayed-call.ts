import {
  ErrorCode,
  errorResponse,
  HubError,
  MAX_FRAME_BYTES,
  peekResponse,
  RequestKind,
  type RequestPeek,
  ResponseKind,
  type ResponsePeek,
  replaceRequestId,
} from "@orchestrator/protocol";
import type { CallId } from "@orchestrator/transport";
import type { Timed } from "./deadline-wheel.ts";
import type { PluginEntry } from "./plugin-entry.ts";
import type { Port, PortCall } from "./port.ts";
import type { RequestIdStore } from "./request-id-store.ts";
import type { Target } from "./targets.ts";

/** How long a streaming tool may take to end its stream after it was told to. */
const STREAM_STOP_MS = 5_000;

/** The code of a proper answer that says that something did not work. */
export const TOOL_FAILED = "TOOL_FAILED";

/** What a relayed call asks of the hub. */
export interface RelayOwner {
  /** Where the ids of requests are while they are under way. */
  readonly ids: RequestIdStore;
  /** Called once per call, when it is over. @param error its code, "" for success */
  finished(call: RelayedCall, error: string): void;
  /** A plugin answered with something that its request does not allow. */
  misbehaved(plugin: PluginEntry, what: string): void;
  /** Tells the callee of a stream that it may stop. */
  cancelStream(call: RelayedCall): void;
  /** Sets a new deadline for a call whose old one has passed or is out of date. */
  rearm(call: RelayedCall, afterMs: number): void;
}

/**
 * One call on its way through the hub: bytes that come from the callee go to the caller, and the other way round. Nothing is
 * decoded, nothing awaited. The two ends are `(port, call id)` pairs; both may be on the same port.
 */
export class RelayedCall implements PortCall, Timed {
  wheelPrevious: Timed | undefined = undefined;
  wheelNext: Timed | undefined = undefined;
  wheelTick = -1;
  readonly caller: Port;
  readonly callerCall: CallId;
  readonly callee: Port;
  calleeCall: CallId = -1;
  readonly target: Target;
  /** The request's id: its place in the owner's store, or the text where it has none. */
  readonly idPlace: number;
  readonly idBytes: number;
  readonly longId: string;
  /** "" unless this is a streaming tool. */
  readonly streamId: string;
  readonly wantsProgress: boolean;
  readonly timeoutMs: number;
  /** The deadline counts from the last sign of life: a stream whose caller set no deadline. */
  readonly renews: boolean;
  renewedAt: number;
  /** performance.now() at the start. */
  readonly startedAt: number;
  readonly bytes: number;
  /** Of the call log. */
  ticket = 0;
  #owner: RelayOwner;
  #over = false;
  /** The caller asked for the end of its stream, and the callee was told. */
  #stopping = false;
  /** Bytes that the callee sent and the caller has no room for yet. */
  #owed = 0;

  /** @param payload what was peeked */
  constructor(
    owner: RelayOwner,
    caller: Port,
    callerCall: CallId,
    callee: Port,
    target: Target,
    payload: Uint8Array,
    peek: RequestPeek,
    timeoutMs: number,
    startedAt: number,
  ) {
    this.#owner = owner;
    this.caller = caller;
    this.callerCall = callerCall;
    this.callee = callee;
    this.target = target;
    const { requestIdAt, requestIdEnd, kind } = peek;
    this.idBytes = requestIdEnd - requestIdAt;
    this.idPlace = owner.ids.put(payload, requestIdAt, requestIdEnd);
    this.longId = this.idPlace < 0 ? peek.requestId : "";
    this.streamId = kind === RequestKind.StreamStart ? peek.streamId : "";
    this.wantsProgress = peek.wantsProgress;
    this.timeoutMs = timeoutMs;
    this.renews = kind === RequestKind.StreamStart && peek.timeoutMs === 0;
    this.renewedAt = startedAt;
    this.startedAt = startedAt;
    this.bytes = payload.length;
  }

  /** Field number of the request's member; the response must carry the same, or be the end of a stream. */
  get kind(): number {
    return this.target.kind;
  }

  get plugin(): PluginEntry {
    return this.target.plugin;
  }

  get requestId(): string {
    return this.idPlace < 0 ? this.longId : this.#owner.ids.text(this.idPlace, this.idBytes);
  }

  get isOver(): boolean {
    return this.#over;
  }

  get isStream(): boolean {
    return this.kind === RequestKind.StreamStart;
  }

  message(port: Port, call: CallId, payload: Uint8Array, last: boolean): void {
    if (port !== this.callee || call !== this.calleeCall) {
      this.#fromCaller(payload, last);
      return;
    }
    this.#fromCallee(payload, last);
    // The answer is here: a plugin that does not end its side of the call with it is not waited for.
    if (!last && this.#over) port.link.cancel(call);
  }

  cancelled(port: Port, call: CallId, error: HubError): void {
    if (port === this.callee && call === this.calleeCall) {
      this.fail(error.code === ErrorCode.Cancelled ? cancelledByPlugin(this.plugin) : error);
      return;
    }
    // Nobody waits for the answer any more.
    this.#stopCallee();
    this.#finish(error.code);
  }

  drained(port: Port, call: CallId): void {
    if (port !== this.caller || call !== this.callerCall) return;
    const owed = this.#owed;
    this.#owed = 0;
    if (owed > 0) this.callee.link.credit(this.calleeCall, owed);
  }

  /** The deadline has passed. */
  expired(): void {
    if (this.renews && !this.#stopping) {
      const leftMs = this.renewedAt + this.timeoutMs - performance.now();
      if (leftMs > 0) {
        this.#owner.rearm(this, leftMs);
        return;
      }
    }
    if (this.#stopping) {
      const late = `Plugin "${this.plugin.id}" did not end ${this.target.label} within ${STREAM_STOP_MS} ms of its cancellation`;
      this.callee.link.cancel(this.calleeCall);
      this.fail(new HubError(ErrorCode.Cancelled, late));
      return;
    }
    const { plugin, target, timeoutMs } = this;
    const what = `No answer from plugin "${plugin.id}" to ${target.label} within ${timeoutMs} ms; its log may say why`;
    this.#stopCallee();
    this.fail(new HubError(ErrorCode.DeadlineExceeded, what));
  }

  /** The caller asked to stop its stream with a message of its own. The stream's end is still delivered. */
  cancelByCaller(): void {
    if (this.#over || this.#stopping) return;
    this.#stopping = true;
    this.#owner.cancelStream(this);
    this.#owner.rearm(this, STREAM_STOP_MS);
  }

  /** Ends the call with an error for the caller, in the shape that its kind has for errors. */
  fail(error: HubError, legacyCode?: string): void {
    if (this.#over) return;
    // Of one whose caller has had enough, any end is good.
    if (!this.#stopping) this.plugin.circuits.failed(this, error);
    const options = { streamId: this.streamId, ...(legacyCode === undefined ? {} : { legacyCode }) };
    this.caller.reply(this.callerCall, errorResponse(this.kind, this.requestId, error, options), true);
    this.#finish(error.code);
  }

  #fromCaller(payload: Uint8Array, last: boolean): void {
    // The only thing that a caller may add to a call that is under way is the wish to stop it.
    if (!last) this.caller.link.credit(this.callerCall, payload.length);
    if (this.isStream && payload.length > 0) this.cancelByCaller();
  }

  #fromCallee(payload: Uint8Array, last: boolean): void {
    let bytes = payload;
    let kind: number;
    let failed = false;
    try {
      const peek = peekResponse(payload);
      kind = peek.kind;
      failed =
        peek.errorCode !== 0 || ((kind === ResponseKind.ToolCall || kind === ResponseKind.StreamEnd) && !peek.success);
      // Plugins that lie about the id, or leave it out, are put right: callers may well look at it.
      if (!this.#hasOurId(payload, peek)) bytes = replaceRequestId(payload, peek, this.requestId);
    } catch (reason) {
      this.#invalid(`bytes that do not decode: ${HubError.from(reason).message}`);
      return;
    }
    if (kind === ResponseKind.StreamChunk && this.isStream && !last) {
      this.#forward(bytes, payload.length, true);
      return;
    }
    if (kind === ResponseKind.Progress && !last) {
      this.#forward(bytes, payload.length, this.wantsProgress);
      return;
    }
    if (kind !== this.#expected() && kind !== ResponseKind.ToolCall) {
      this.#invalid(`response member ${kind} to request member ${this.kind}`);
      return;
    }
    if (kind !== this.#expected()) {
      // Errors of existing peers borrow tool_call whatever was asked; the caller gets the shape that it waits for.
      this.#alive();
      const what = `Plugin "${this.plugin.id}" does not serve ${this.target.label}`;
      this.fail(new HubError(ErrorCode.Unimplemented, what), "invalid_response");
      return;
    }
    if (bytes.length > MAX_FRAME_BYTES) {
      this.#tooLarge(bytes.length);
      return;
    }
    this.caller.reply(this.callerCall, bytes, true);
    this.#finish(failed ? TOOL_FAILED : "");
  }

  #hasOurId(payload: Uint8Array, peek: ResponsePeek): boolean {
    if (this.idPlace < 0) return peek.requestId === this.longId;
    return this.#owner.ids.isAt(this.idPlace, this.idBytes, payload, peek.requestIdAt, peek.requestIdEnd);
  }

  #expected(): number {
    return this.isStream ? ResponseKind.StreamEnd : this.kind;
  }

  /** One more message in a row; the callee may go on when the caller has room. */
  #forward(bytes: Uint8Array, received: number, isWanted: boolean): void {
    if (bytes.length > MAX_FRAME_BYTES) {
      this.#stopCallee();
      this.#tooLarge(bytes.length);
      return;
    }
    this.#alive();
    if (!isWanted || this.caller.reply(this.callerCall, bytes, false))
      this.callee.link.credit(this.calleeCall, received);
    else this.#owed += received;
  }

  /** A call that takes long need not be one that is never answered. */
  #alive(): void {
    const { circuit } = this.target;
    this.renewedAt = performance.now();
    circuit.answeredAtMs = this.renewedAt;
    if (circuit.failures > 0) this.plugin.circuits.ended(this, true, this.renewedAt);
  }

  /** It grew on its way: the plugin had left out the id, or put a shorter one in its place. */
  #tooLarge(bytes: number): void {
    const what = `The answer of plugin "${this.plugin.id}" has ${bytes} bytes, and the limit is ${MAX_FRAME_BYTES}`;
    this.fail(new HubError(ErrorCode.FrameTooLarge, what));
  }

  #invalid(what: string): void {
    this.#owner.misbehaved(this.plugin, what);
    this.callee.link.cancel(this.calleeCall);
    this.fail(new HubError(ErrorCode.Protocol, `Plugin "${this.plugin.id}" answered with ${what}`));
  }

  #stopCallee(): void {
    if (this.isStream && !this.#stopping) this.#owner.cancelStream(this);
    this.callee.link.cancel(this.calleeCall);
  }

  #finish(error: string): void {
    if (this.#over) return;
    this.#over = true;
    this.caller.forget(this.callerCall);
    this.callee.forget(this.calleeCall);
    this.#owner.finished(this, error);
  }
}

function cancelledByPlugin(plugin: PluginEntry): HubError {
  return new HubError(ErrorCode.Unavailable, `Plugin "${plugin.id}" ended the call without an answer`);
}
