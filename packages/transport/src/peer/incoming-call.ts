import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { CallId, Link } from "../link.ts";
import { type AbortSignalOfHost, platform } from "../platform.ts";

/** A call that the peer opened, as the function that serves it sees it. */
export interface IncomingCall {
  /** The first message. */
  readonly payload: Uint8Array;
  /** The caller will send nothing more on this call. */
  readonly last: boolean;
  /** The verified name of the caller. */
  readonly peer: string;
  /** Aborts when the call ends before its answer: the caller cancelled (`CANCELLED`), or the link broke (`UNAVAILABLE`). */
  readonly signal: AbortSignalOfHost;
  /** Receives what the caller sends after the first message; until it is set, that is dropped. */
  onMessage: ((payload: Uint8Array, last: boolean) => void) | undefined;
  /**
   * Sends one message of the answer; with `last` (the default) it ends the call.
   * @returns undefined while there is room for more, else a promise to wait for before the next one. It rejects when the
   * call ends meanwhile. On a call that is over: does nothing, or for a message that is not the last rejects.
   * @throws {HubError} `FRAME_TOO_LARGE`: nothing was sent and the call is still open
   */
  reply(payload: Uint8Array, last?: boolean): Promise<void> | undefined;
  /** Ends the call without an answer; the caller sees `CANCELLED`. */
  cancel(): void;
}

/**
 * Answers a call. A promise that it returns says when it is done: a call that has no last answer by then, or whose function
 * throws, is cancelled.
 */
export type ServeCall = (call: IncomingCall) => void | Promise<void>;

/** The side of a `ServedCall` that the link's handler drives. */
export class ServedCall implements IncomingCall {
  readonly payload: Uint8Array;
  readonly last: boolean;
  onMessage: ((payload: Uint8Array, last: boolean) => void) | undefined;
  readonly #id: CallId;
  readonly #link: Link;
  readonly #ended: (id: CallId) => void;
  #over: HubError | "answered" | undefined;
  #controller: { readonly signal: AbortSignalOfHost; abort(reason: unknown): void } | undefined;
  #room: { promise: Promise<void>; resolve: () => void; reject: (error: HubError) => void } | undefined;

  constructor(link: Link, id: CallId, payload: Uint8Array, last: boolean, ended: (id: CallId) => void) {
    this.#link = link;
    this.#id = id;
    this.payload = payload;
    this.last = last;
    this.#ended = ended;
  }

  get peer(): string {
    return this.#link.peer;
  }

  get signal(): AbortSignalOfHost {
    // Made on demand: most calls are answered without anybody asking for it, and a controller costs more than the call.
    if (this.#controller === undefined) {
      this.#controller = new platform.AbortController();
      if (this.#over instanceof HubError) this.#controller.abort(this.#over);
    }
    return this.#controller.signal;
  }

  reply(payload: Uint8Array, last = true): Promise<void> | undefined {
    if (this.#over !== undefined) return last ? undefined : Promise.reject(this.#overError());
    const room = this.#link.send(this.#id, payload, last);
    if (last) {
      this.#finish("answered");
      return undefined;
    }
    if (room || this.#over !== undefined) return undefined;
    this.#room ??= Promise.withResolvers<void>();
    // A caller that does not look at the promise must not crash the process when the call is cancelled.
    this.#room.promise.catch(ignore);
    return this.#room.promise;
  }

  cancel(): void {
    if (this.#over !== undefined) return;
    this.#link.cancel(this.#id);
    this.#finish(new HubError(ErrorCode.Cancelled, "The call was given up by the side that serves it"));
  }

  /** Runs the function that serves the call; never throws. */
  serve(serve: ServeCall): void {
    try {
      const done = serve(this);
      if (done !== undefined) done.then(this.#settled, this.#settled);
    } catch {
      this.cancel();
    }
    if (!this.last) this.#link.credit(this.#id, this.payload.length);
  }

  message(payload: Uint8Array, last: boolean): void {
    try {
      this.onMessage?.(payload, last);
    } catch {
      this.cancel();
    }
    if (!last) this.#link.credit(this.#id, payload.length);
  }

  drained(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  cancelled(error: HubError): void {
    if (this.#over === undefined) this.#finish(error);
  }

  readonly #settled = (): void => this.cancel();

  #finish(over: HubError | "answered"): void {
    this.#over = over;
    this.#ended(this.#id);
    this.#room?.reject(this.#overError());
    this.#room = undefined;
    if (over instanceof HubError) this.#controller?.abort(over);
  }

  #overError(): HubError {
    if (this.#over instanceof HubError) return this.#over;
    return new HubError(ErrorCode.FailedPrecondition, "The call has already been answered");
  }
}

function ignore(): void {}
