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
  #handler: LinkHandler | undefined;
  #open = true;

  constructor(peer: string, remoteAddress: string) {
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
    if (!last || !this.#open) return true;
    this.#respond(payload);
    this.#end(undefined);
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
