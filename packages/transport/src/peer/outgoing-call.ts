import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Deadlines, Timed } from "../deadlines.ts";
import { abortError } from "../errors.ts";
import type { CallId, Link } from "../link.ts";
import type { MinimalAbortSignal } from "../platform.ts";

/** What the link's handler drives for a call that this side opened. */
export interface OutgoingCall {
  message(payload: Uint8Array, last: boolean): void;
  cancelled(error: HubError): void;
}

export interface CallOptions {
  /** Cancels the call; one that is aborted already rejects before anything is sent. */
  readonly signal?: MinimalAbortSignal | undefined;
  /** Milliseconds after which the call is given up with `DEADLINE_EXCEEDED`. Never where it is left out. */
  readonly timeoutMs?: number | undefined;
  /** Receives the messages that precede the last one: progress, for example. */
  readonly onMessage?: ((payload: Uint8Array) => void) | undefined;
}

/**
 * Peers other than ours may end their stream in a packet of its own, after the answer. Carriers tell that as an empty last
 * message, and it is then no message: an answer of no bytes at all comes alone.
 */
function isBareEnd(payload: Uint8Array, last: boolean, before: boolean): boolean {
  return last && payload.length === 0 && before;
}

/** A call whose answer is its last message. */
export class SingleAnswer implements OutgoingCall, Timed {
  readonly promise: Promise<Uint8Array>;
  readonly deadlineMs: number;
  readonly #link: Link;
  readonly #deadlines: Deadlines;
  readonly #options: CallOptions;
  readonly #ended: (id: CallId) => void;
  #id: CallId = -1;
  #previous: Uint8Array | undefined;
  #resolve!: (payload: Uint8Array) => void;
  #reject!: (error: HubError) => void;

  constructor(link: Link, options: CallOptions, deadlines: Deadlines, ended: (id: CallId) => void) {
    this.#link = link;
    this.#deadlines = deadlines;
    this.deadlineMs = options.timeoutMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + options.timeoutMs;
    this.#options = options;
    this.#ended = ended;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  start(id: CallId): void {
    this.#id = id;
    this.#deadlines.add(this);
    this.#options.signal?.addEventListener("abort", this.#abort);
  }

  message(payload: Uint8Array, last: boolean): void {
    if (last) {
      this.#finish();
      this.#resolve(isBareEnd(payload, last, this.#previous !== undefined) ? this.#previous! : payload);
      return;
    }
    this.#previous = payload;
    try {
      this.#options.onMessage?.(payload);
    } catch (error) {
      this.#giveUp(abortError(error));
    }
    this.#link.credit(this.#id, payload.length);
  }

  cancelled(error: HubError): void {
    this.#finish();
    this.#reject(error);
  }

  expired(): void {
    const what = `No answer came within ${this.#options.timeoutMs} ms`;
    this.#giveUp(new HubError(ErrorCode.DeadlineExceeded, what));
  }

  readonly #abort = (): void => this.#giveUp(abortError(this.#options.signal?.reason));

  #giveUp(error: HubError): void {
    this.#link.cancel(this.#id);
    this.cancelled(error);
  }

  #finish(): void {
    this.#deadlines.delete(this);
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#ended(this.#id);
  }
}

/** A call whose messages are taken one by one; the peer is credited for each as the next one is asked for. */
export class AnswerStream implements OutgoingCall {
  readonly #link: Link;
  readonly #arrived: { readonly payload: Uint8Array; readonly last: boolean }[] = [];
  #error: HubError | undefined;
  #yielded = false;
  #wake: (() => void) | undefined;

  constructor(link: Link) {
    this.#link = link;
  }

  message(payload: Uint8Array, last: boolean): void {
    this.#arrived.push({ payload, last });
    this.#wakeUp();
  }

  cancelled(error: HubError): void {
    this.#error = error;
    this.#wakeUp();
  }

  async *read(id: CallId): AsyncGenerator<Uint8Array, void, void> {
    for (;;) {
      const next = this.#arrived.shift();
      if (next !== undefined) {
        if (isBareEnd(next.payload, next.last, this.#yielded)) return;
        this.#yielded = true;
        yield next.payload;
        if (next.last) return;
        this.#link.credit(id, next.payload.length);
      } else if (this.#error !== undefined) {
        throw this.#error;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
