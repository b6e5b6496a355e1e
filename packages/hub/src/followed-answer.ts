import { ErrorCode, errorResponse, HubError, PluginResponse, RequestKind } from "@orchestrator/protocol";
import type { CallId } from "@orchestrator/transport";
import type { Port, PortCall } from "./port.ts";

/** Whom an answer goes to. */
export interface AnswerTo {
  readonly port: Port;
  readonly call: CallId;
  readonly requestId: string;
}

/** What a followed answer consists of. */
export interface FollowSource {
  /** The next message, or undefined while there is none. What it throws ends the answer with that error. */
  next(): PluginResponse["response"];
  /** Whether the message that was just taken is the last one. Default: there is none, and the caller goes away at last. */
  isEnd?(): boolean;
  /** Nobody follows any more. Called once. */
  ended(): void;
}

/** An answer that goes on until its caller has enough: messages leave as fast as the caller takes them. */
export class FollowedAnswer implements PortCall {
  readonly #to: AnswerTo;
  readonly #source: FollowSource;
  #isFull = false;
  #isScheduled = false;
  #isOver = false;

  constructor(to: AnswerTo, source: FollowSource) {
    this.#to = to;
    this.#source = source;
    to.port.attach(to.call, this);
    this.wake();
  }

  /** There may be a message. What happens within one turn of the loop leaves together. */
  wake(): void {
    if (this.#isScheduled || this.#isFull) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  message(port: Port, call: CallId, payload: Uint8Array, last: boolean): void {
    if (!last) port.link.credit(call, payload.length);
  }

  cancelled(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#source.ended();
  }

  drained(): void {
    this.#isFull = false;
    this.#flush();
  }

  #end(): void {
    this.cancelled();
    this.#to.port.forget(this.#to.call);
  }

  #flush(): void {
    const { port, call, requestId } = this.#to;
    try {
      while (!this.#isFull && !this.#isOver) {
        const response = this.#source.next();
        if (response === undefined) return;
        const isEnd = this.#source.isEnd?.() ?? false;
        if (isEnd) this.#end();
        const payload = PluginResponse.encode({ requestId, response, error: undefined }).finish();
        this.#isFull = !port.reply(call, payload, isEnd);
      }
    } catch (reason) {
      // What is followed cannot be read any more: that is this answer's end and nobody else's.
      this.#end();
      port.reply(call, errorResponse(RequestKind.None, requestId, HubError.from(reason, ErrorCode.Internal)), true);
    }
  }
}
