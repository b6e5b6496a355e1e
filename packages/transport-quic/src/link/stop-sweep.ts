import { clearTimeout, setTimeout } from "node:timers";
import type { CallEndings } from "./call-endings.ts";
import type { LinkContext } from "./link-context.ts";

/** Up to this many calls, every arrival of datagrams checks all of them for a cancellation; above it, a timer does. */
const SWEEP_AT_ONCE = 8;
const SWEEP_MS = 10;

/**
 * Looks for callers that have cancelled. A request that came with its FIN can only be cancelled by STOP_SENDING, which
 * quiche does not report: it has to be asked for every stream. It may even have forgotten the stream already.
 */
export class StopSweep {
  readonly #context: LinkContext;
  readonly #endings: CallEndings;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: LinkContext, endings: CallEndings) {
    this.#context = context;
    this.#endings = endings;
  }

  /** Datagrams came in: one of them may have been a cancellation. */
  arrived(): void {
    const { calls } = this.#context;
    if (calls.unanswered === 0) return;
    if (calls.byStream.size <= SWEEP_AT_ONCE) this.#sweep();
    else this.#timer ??= setTimeout(this.#sweep, SWEEP_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  readonly #sweep = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { calls, engine, phase } = this.#context;
    if (phase === "closed") return;
    for (const call of calls.byStream.values()) {
      if (!call.opener && !call.over && engine.capacity(call.stream) < 0) {
        this.#endings.stoppedByPeer(call, engine.streamError);
      }
    }
  };
}
