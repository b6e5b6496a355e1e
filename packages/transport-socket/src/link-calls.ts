import { ErrorCode, HubError } from "@orchestrator/protocol";
import {
  CALL_WINDOW_BYTES,
  type CallId,
  cancelledByPeer,
  type LinkHandler,
  linkLost,
  type PayloadSource,
  payloadOf,
} from "@orchestrator/transport";
import { CallTable } from "./call-table.ts";
import { brokenFrame, CANCELLED, EXHAUSTED, FrameKind, MAX_PIECE_BYTES, readUint32, UNAVAILABLE } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { checkLength, checkSize, type SocketCall } from "./socket-call.ts";

const NOTHING = new Uint8Array(0);

export interface LinkCallsOptions {
  readonly peer: string;
  readonly writer: FrameWriter;
  readonly isConnector: boolean;
  /** Calls that the peer may have open at once. */
  readonly maxForeign: number;
  /** A call is over. */
  readonly onEnded: () => void;
}

/** Both directions of the calls of one link: what this side sends becomes frames, the peer's frames become what the handler hears. */
export class LinkCalls {
  /** Set before the first frame arrives. */
  handler!: LinkHandler;
  /** This side has said that it takes no more calls, or has heard it from the peer. */
  saidGoaway = false;
  heardGoaway = false;
  readonly #peer: string;
  readonly #writer: FrameWriter;
  readonly #table: CallTable;
  readonly #onEnded: () => void;

  constructor(options: LinkCallsOptions) {
    this.#peer = options.peer;
    this.#writer = options.writer;
    this.#table = new CallTable(options.isConnector, options.maxForeign);
    this.#onEnded = options.onEnded;
  }

  get size(): number {
    return this.#table.size;
  }

  open(payload: Uint8Array, last: boolean): CallId {
    checkSize(payload);
    const call = this.#table.openOurs();
    const { id } = call;
    call.saidLast = last;
    if (!last) call.sendWindow -= payload.length;
    if (payload.length <= MAX_PIECE_BYTES) {
      this.#writer.frame(last ? FrameKind.RequestLast : FrameKind.Request, id, payload);
    } else {
      // Said at once, so that calls begin on the wire in the order in which they were opened, and before a goaway.
      this.#writer.frame(FrameKind.LongRequest, id, NOTHING);
      this.#writer.message(last ? FrameKind.MessageLast : FrameKind.Message, id, payload);
    }
    return id;
  }

  openFrom(source: PayloadSource, last: boolean): CallId {
    const { length } = source;
    checkLength(length);
    const call = this.#table.openOurs();
    const { id } = call;
    call.saidLast = last;
    if (!last) call.sendWindow -= length;
    if (length <= MAX_PIECE_BYTES) {
      this.#writer.frameFrom(last ? FrameKind.RequestLast : FrameKind.Request, id, source);
    } else {
      this.#writer.frame(FrameKind.LongRequest, id, NOTHING);
      const segments = source.segments?.() ?? [payloadOf(source)];
      this.#writer.longMessage(last ? FrameKind.MessageLast : FrameKind.Message, id, segments);
    }
    return id;
  }

  send(id: CallId, payload: Uint8Array, last: boolean): boolean {
    checkSize(payload);
    const call = this.#table.get(id);
    if (call === undefined || call.saidLast) return true;
    call.saidLast = last;
    const kind = last ? FrameKind.MessageLast : FrameKind.Message;
    if (call.sendWindow <= 0) {
      call.waiting ??= [];
      call.waiting.push({ kind, payload });
      call.owesDrained = !last;
      return last;
    }
    this.#sendNow(call, kind, payload);
    if (last || call.sendWindow > 0) return true;
    call.owesDrained = true;
    return false;
  }

  cancel(id: CallId): void {
    const call = this.#table.get(id);
    // An answer that was given and waits for credit is the end: there is nothing left to cancel on this side.
    if (call === undefined || call.isAnswered) return;
    this.#table.forget(call);
    this.#writer.drop(id);
    this.#writer.frame(FrameKind.Cancel, id, Uint8Array.of(CANCELLED));
    this.#onEnded();
  }

  credit(id: CallId, bytes: number): void {
    const call = this.#table.get(id);
    if (call === undefined) return;
    // What was never received cannot be used up: the peer would end the link for it.
    const owed = Math.min(bytes, CALL_WINDOW_BYTES - call.receiveWindow);
    if (owed <= 0) return;
    call.receiveWindow += owed;
    const payload = Uint8Array.of(owed >>> 24, owed >>> 16, owed >>> 8, owed);
    this.#writer.frame(FrameKind.Credit, id, payload);
  }

  /** Takes a frame that belongs to a call. @throws {HubError} `PROTOCOL` for every rule that it breaks */
  frame(kind: number, id: number, payload: Uint8Array): void {
    switch (kind) {
      case FrameKind.Request:
      case FrameKind.RequestLast:
        this.#request(id, payload, kind === FrameKind.RequestLast);
        return;
      case FrameKind.LongRequest:
        this.#longRequest(id, payload);
        return;
      case FrameKind.Message:
      case FrameKind.MessageLast:
        this.#message(id, payload, kind === FrameKind.MessageLast);
        return;
      case FrameKind.Part: {
        const call = this.#hearing(id);
        if (call !== undefined) this.#table.addPart(call, payload);
        return;
      }
      case FrameKind.Cancel:
        this.#cancelled(id, payload);
        return;
      case FrameKind.Credit:
        this.#credited(id, payload);
        return;
      default:
        throw brokenFrame(`frame kind ${kind} at this place`);
    }
  }

  /** Ends all calls. @returns what handlers threw: each of them hears of its end all the same */
  endAll(reason: HubError): unknown[] {
    const failures: unknown[] = [];
    for (const call of this.#table.takeAll()) {
      if (call.isUnheard || call.isAnswered) continue;
      try {
        this.handler.cancelled(call.id, reason);
      } catch (failure) {
        failures.push(failure);
      }
    }
    return failures;
  }

  #request(id: number, payload: Uint8Array, last: boolean): void {
    const call = this.#opened(id);
    if (call === undefined) return;
    call.heardLast = last;
    if (!last) call.received(payload.length);
    this.handler.request(id, payload, last);
  }

  #longRequest(id: number, payload: Uint8Array): void {
    if (payload.length > 0) throw brokenFrame("a long request with a payload");
    const call = this.#opened(id);
    if (call !== undefined) call.isUnheard = true;
  }

  /** @returns undefined for a call that is not taken; the peer was told */
  #opened(id: number): SocketCall | undefined {
    if (this.heardGoaway) throw brokenFrame(`call ${id} opened after a goaway`);
    const call = this.#table.openForeign(id);
    if (call !== undefined && !this.saidGoaway) return call;
    if (call !== undefined) this.#table.forget(call);
    this.#writer.frame(FrameKind.Cancel, id, Uint8Array.of(this.saidGoaway ? UNAVAILABLE : EXHAUSTED));
    return undefined;
  }

  /** The call that a message or a piece of one is for. @returns undefined for one that is over: what comes for it is let go */
  #hearing(id: number): SocketCall | undefined {
    const call = this.#table.get(id);
    if (call?.heardLast) throw brokenFrame(`more on call ${id} after its last message`);
    return call;
  }

  #message(id: number, payload: Uint8Array, last: boolean): void {
    const call = this.#hearing(id);
    if (call === undefined) return;
    const message = this.#table.whole(call, payload);
    call.heardLast = last;
    if (!last) call.received(message.length);
    if (call.isUnheard) {
      call.isUnheard = false;
      this.handler.request(id, message, last);
    } else if (call.isAnswered) {
      // For the handler the call is over: what still comes is let go, and credited so that the peer is not held up by it.
      if (!last) this.credit(id, message.length);
    } else if (last && call.isOurs) {
      this.#table.forget(call);
      this.#writer.drop(id);
      this.handler.message(id, message, true);
      this.#onEnded();
    } else this.handler.message(id, message, last);
  }

  #cancelled(id: number, payload: Uint8Array): void {
    if (payload.length !== 1) throw brokenFrame("a cancel that is not 1 byte");
    // Also where the answer was given and only its last pieces wait.
    this.#writer.drop(id);
    const call = this.#table.get(id);
    if (call !== undefined) {
      this.#table.forget(call);
      if (!call.isUnheard && !call.isAnswered) this.handler.cancelled(id, this.#reason(payload[0]!));
    }
    this.#onEnded();
  }

  #reason(why: number): HubError {
    if (why === UNAVAILABLE) return linkLost(this.#peer, "takes no more calls");
    if (why !== EXHAUSTED) return cancelledByPeer();
    const what = linkLost(this.#peer, "has as many calls open as the peer allows").message;
    return new HubError(ErrorCode.ResourceExhausted, what);
  }

  #credited(id: number, payload: Uint8Array): void {
    if (payload.length !== 4) throw brokenFrame("a credit that is not 4 bytes");
    const bytes = readUint32(payload, 0);
    if (bytes === 0) throw brokenFrame("a credit of nothing");
    const call = this.#table.get(id);
    if (call === undefined) return;
    call.sendWindow += bytes;
    if (call.sendWindow > CALL_WINDOW_BYTES) throw brokenFrame(`more credit on call ${id} than was used`);
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
    this.handler.drained(id);
  }

  #sendNow(call: SocketCall, kind: FrameKind, payload: Uint8Array): void {
    const last = kind === FrameKind.MessageLast;
    if (!last) call.sendWindow -= payload.length;
    this.#writer.message(kind, call.id, payload);
    // An answer is the end of the call for the side that gives it.
    if (!last || call.isOurs) return;
    this.#table.forget(call);
    this.#onEnded();
  }
}
