import { HubError } from "@orchestrator/protocol";
import type { CallId, Carrier, Link, LinkHandler } from "@orchestrator/transport";

/** The one call of a link that carries one. */
const ONLY_CALL: CallId = 1;

/** A connection that carries one request and one response, as a Link: so the simple TCP door uses the same dispatch as all others. */
export class SingleCallLink implements Link {
  readonly peer: string;
  readonly carrier: Carrier = "tls";
  readonly remoteAddress: string;
  readonly closed: Promise<void>;
  readonly response: Promise<Uint8Array>;
  readonly #respond: (payload: Uint8Array) => void;
  readonly #fail: (error: HubError) => void;
  readonly #close: () => void;
  readonly #instead: Uint8Array | undefined;
  #handler: LinkHandler | undefined;
  #open = true;

  /** @param instead the answer to a request that would have more than one; without it, what comes before the last is dropped */
  constructor(peer: string, remoteAddress: string, instead?: Uint8Array) {
    this.#instead = instead;
    this.peer = peer;
    this.remoteAddress = remoteAddress;
    const response = Promise.withResolvers<Uint8Array>();
    const closed = Promise.withResolvers<void>();
    this.response = response.promise;
    this.response.catch(() => {});
    this.#respond = response.resolve;
    this.#fail = response.reject;
    this.closed = closed.promise;
    this.#close = closed.resolve;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  begin(handler: LinkHandler, payload: Uint8Array): void {
    this.#handler = handler;
    handler.request(ONLY_CALL, payload, true);
  }

  open(): CallId {
    throw new Error("a connection that carries one call accepts none in return");
  }

  send(_call: CallId, payload: Uint8Array, last: boolean): boolean {
    if (!this.#open) return true;
    if (last) {
      this.#respond(payload);
      this.#end(undefined);
    } else if (this.#instead !== undefined) {
      this.#respond(this.#instead);
      this.#end(new HubError("CANCELLED", "The connection carries one answer"));
    }
    return true;
  }

  cancel(): void {
    this.abort(new HubError("CANCELLED", "The hub cancelled the call"));
  }

  credit(): void {}

  close(): Promise<void> {
    return this.closed;
  }

  abort(reason: HubError): void {
    if (!this.#open) return;
    this.#fail(reason);
    this.#end(reason);
  }

  #end(error: HubError | undefined): void {
    this.#open = false;
    const handler = this.#handler;
    if (error !== undefined) handler?.cancelled(ONLY_CALL, error);
    handler?.closed(error);
    this.#close();
  }
}
