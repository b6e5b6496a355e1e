import { type CallId, IdTable, type Link, type LinkHandler } from "@orchestrator/transport";
import type { StartCall } from "../measure.ts";

/** Makes calls on one link, without a promise per call. A call that fails counts as done, and is kept for {@link failure}. */
export class LinkCaller implements LinkHandler {
  readonly #pending = new IdTable<(payload: Uint8Array) => void>();
  #link: Link | undefined;

  readonly accept = (link: Link): LinkHandler => {
    this.#link = link;
    return this;
  };

  /** Why a call failed, if one did. Figures with failed calls in them mean nothing. */
  failure: Error | undefined;

  get link(): Link {
    return this.#link!;
  }

  /** A way to send that payload again and again. */
  starter(payload: Uint8Array): StartCall {
    return (done) => void this.#pending.set(this.link.open(payload, true), done);
  }

  call(payload: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve) => this.#pending.set(this.link.open(payload, true), resolve));
  }

  request(call: CallId): void {
    this.link.cancel(call);
  }

  message(call: CallId, payload: Uint8Array): void {
    const done = this.#pending.get(call);
    this.#pending.delete(call);
    done?.(payload);
  }

  cancelled(call: CallId, error: Error): void {
    this.failure ??= error;
    this.message(call, NOTHING);
  }

  drained(): void {}

  closed(): void {}
}

const NOTHING = new Uint8Array(0);
