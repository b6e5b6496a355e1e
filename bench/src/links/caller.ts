import type { CallId, Link, LinkHandler } from "@orchestrator/transport";
import type { StartCall } from "../measure.ts";

/** Makes calls on one link, without a promise per call. A call that fails ends the benchmark. */
export class LinkCaller implements LinkHandler {
  readonly #pending = new Map<CallId, (payload: Uint8Array) => void>();
  #link: Link | undefined;

  readonly accept = (link: Link): LinkHandler => {
    this.#link = link;
    return this;
  };

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

  cancelled(_call: CallId, error: Error): void {
    throw error;
  }

  drained(): void {}

  closed(error?: Error): void {
    if (error !== undefined && this.#pending.size > 0) throw error;
  }
}
