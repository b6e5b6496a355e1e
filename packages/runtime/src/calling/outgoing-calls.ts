import type { HubError } from "@orchestrator/protocol";
import type { CallId, Link, LinkHandler } from "@orchestrator/transport";

/** What happens to one call that this side opened. Nothing comes after `last` or `failed`. */
export interface ReplyListener {
  /** Whoever listens credits the bytes of messages that are not the last, once they are used up. */
  message(payload: Uint8Array, last: boolean): void;
  failed(error: HubError): void;
}

/** The calls that this side opened on one link. */
export class OutgoingCalls {
  readonly link: Link;
  readonly #listeners = new Map<CallId, ReplyListener>();

  constructor(link: Link) {
    this.link = link;
  }

  /** Sends a request that is complete in one message. @throws {HubError} `UNAVAILABLE`, `FRAME_TOO_LARGE` */
  start(payload: Uint8Array, listener: ReplyListener): CallId {
    const id = this.link.open(payload, true);
    this.#listeners.set(id, listener);
    return id;
  }

  /** Ends a call; its listener hears nothing more. */
  cancel(id: CallId): void {
    if (this.#listeners.delete(id)) this.link.cancel(id);
  }

  /** One handler for a link on which both sides ask: answers come here, requests go to `serving`. */
  over(serving: LinkHandler, closed: (error?: HubError) => void): LinkHandler {
    const listeners = this.#listeners;
    return {
      request: (id, payload, last) => serving.request(id, payload, last),
      message: (id, payload, last) => {
        const listener = listeners.get(id);
        if (listener === undefined) return serving.message(id, payload, last);
        if (last) listeners.delete(id);
        listener.message(payload, last);
      },
      cancelled: (id, error) => {
        const listener = listeners.get(id);
        if (listener === undefined) return serving.cancelled(id, error);
        listeners.delete(id);
        listener.failed(error);
      },
      drained: (id) => {
        if (!listeners.has(id)) serving.drained(id);
      },
      closed: (error) => {
        serving.closed(error);
        closed(error);
      },
    };
  }
}
