import { ErrorCode, HubError } from "@orchestrator/protocol";
import { Deadlines } from "../deadlines.ts";
import { abortError } from "../errors.ts";
import type { AcceptLink, CallId, Link, LinkHandler } from "../link.ts";
import type { MinimalAbortSignal } from "../platform.ts";
import { type ServeCall, ServedCall } from "./incoming-call.ts";
import { AnswerStream, type CallOptions, type OutgoingCall, SingleAnswer } from "./outgoing-call.ts";

/**
 * Promises and async iterators over one link, for whoever makes and serves calls one by one. (A relay uses the link itself.)
 * Pass `accept` to the carrier:
 *
 *     const peer = new LinkPeer(async (call) => { call.reply(await answer(call.payload)); });
 *     await dialQuic(address, options, peer.accept);
 *     const answer = await peer.call(request, { signal });
 */
export class LinkPeer {
  readonly #serve: ServeCall | undefined;
  readonly #outgoing = new Map<CallId, OutgoingCall>();
  readonly #incoming = new Map<CallId, ServedCall>();
  readonly #deadlines = new Deadlines();
  #link: Link | undefined;

  /** @param serve answers the peer's calls; without it they are cancelled */
  constructor(serve?: ServeCall) {
    this.#serve = serve;
  }

  /** For the carrier, once: binds this peer to the link. */
  readonly accept: AcceptLink = (link) => {
    if (this.#link !== undefined) throw new Error("A LinkPeer serves one link; make another one");
    this.#link = link;
    return this.#handler;
  };

  /** @throws {HubError} `UNAVAILABLE` before there is a link */
  get link(): Link {
    if (this.#link === undefined) throw new HubError(ErrorCode.Unavailable, "The peer has no link yet");
    return this.#link;
  }

  /** Calls under way, in both directions. */
  get openCalls(): number {
    return this.#outgoing.size + this.#incoming.size;
  }

  /**
   * Sends `payload` and waits for the last message of the answer.
   * Rejects with what ended the call: `CANCELLED` or `DEADLINE_EXCEEDED` by the signal (its reason, where that is a
   * `HubError`), `DEADLINE_EXCEEDED` by the timeout, `CANCELLED` by the peer, `UNAVAILABLE` with the link, `FRAME_TOO_LARGE`.
   */
  call(payload: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    try {
      if (options.signal?.aborted) throw abortError(options.signal.reason);
      const link = this.link;
      const id = link.open(payload, true);
      const answer = new SingleAnswer(link, options, this.#deadlines, this.#endOutgoing);
      this.#outgoing.set(id, answer);
      answer.start(id);
      return answer.promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sends `payload` when the first message is asked for, then yields every message of the answer, the last one too. The
   * peer may be ahead by one window; leaving the loop or aborting cancels the call. Rejects as `call` does.
   */
  async *stream(
    payload: Uint8Array,
    options: { readonly signal?: MinimalAbortSignal | undefined } = {},
  ): AsyncGenerator<Uint8Array, void, void> {
    const { signal } = options;
    if (signal?.aborted) throw abortError(signal.reason);
    const link = this.link;
    const stream = new AnswerStream(link);
    const id = link.open(payload, true);
    this.#outgoing.set(id, stream);
    const abort = () => {
      link.cancel(id);
      stream.cancelled(abortError(signal?.reason));
    };
    signal?.addEventListener("abort", abort);
    try {
      yield* stream.read(id);
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#endOutgoing(id);
      // Does nothing once the last message is here.
      link.cancel(id);
    }
  }

  readonly #endOutgoing = (id: CallId): void => {
    this.#outgoing.delete(id);
  };

  readonly #endIncoming = (id: CallId): void => {
    this.#incoming.delete(id);
  };

  readonly #handler: LinkHandler = {
    request: (id, payload, last) => {
      const link = this.link;
      if (this.#serve === undefined) return link.cancel(id);
      const call = new ServedCall(link, id, payload, last, this.#endIncoming);
      this.#incoming.set(id, call);
      call.serve(this.#serve);
    },
    message: (id, payload, last) => {
      const outgoing = this.#outgoing.get(id);
      if (outgoing !== undefined) outgoing.message(payload, last);
      else this.#incoming.get(id)?.message(payload, last);
    },
    cancelled: (id, error) => {
      const outgoing = this.#outgoing.get(id);
      if (outgoing !== undefined) outgoing.cancelled(error);
      else this.#incoming.get(id)?.cancelled(error);
    },
    drained: (id) => this.#incoming.get(id)?.drained(),
    closed: () => {},
  };
}
