import type { HubError } from "@orchestrator/protocol";
import type { AcceptLink, CallId, Link } from "@orchestrator/transport";

/** A handler that answers every request with itself, credits everything, and notes how calls and the link end. */
export class Echo {
  link!: Link;
  requests = 0;
  /** The lengths of all messages of the peer. */
  readonly heard: number[] = [];
  readonly #isQuiet: boolean;
  readonly cancelled: { readonly call: CallId; readonly error: HubError }[] = [];
  readonly answers: { readonly call: CallId; readonly payload: Uint8Array }[] = [];
  readonly #closed = Promise.withResolvers<HubError | undefined>();
  readonly #answers = new Map<CallId, (payload: Uint8Array | HubError) => void>();

  /** @param isQuiet gives neither answers nor credit */
  constructor(isQuiet = false) {
    this.#isQuiet = isQuiet;
  }

  /** Why the link ended. */
  get closed(): Promise<HubError | undefined> {
    return this.#closed.promise;
  }

  readonly accept: AcceptLink = (link) => {
    this.link = link;
    return {
      request: (call, payload, last) => {
        this.requests += 1;
        this.heard.push(payload.length);
        if (this.#isQuiet) return;
        if (!last) link.credit(call, payload.length);
        link.send(call, payload, true);
      },
      message: (call, payload, last) => {
        this.heard.push(payload.length);
        if (this.#isQuiet && !last) return;
        if (!last) link.credit(call, payload.length);
        else this.#end(call, payload);
      },
      cancelled: (call, error) => {
        this.cancelled.push({ call, error });
        this.#answers.get(call)?.(error);
      },
      drained: () => {},
      closed: (error) => this.#closed.resolve(error),
    };
  };

  /** @returns the answer, or the error that ended the call */
  call(payload: Uint8Array): Promise<Uint8Array | HubError> {
    return new Promise((resolve) => this.#answers.set(this.link.open(payload, true), resolve));
  }

  #end(call: CallId, payload: Uint8Array): void {
    this.answers.push({ call, payload });
    this.#answers.get(call)?.(payload);
    this.#answers.delete(call);
  }
}
