import { DEFAULT_TIMEOUT_MS, ErrorCode, HubError } from "@orchestrator/protocol";
import { abortError, type Deadlines, type Timed } from "@orchestrator/transport";
import type { CallOptions } from "../hub-client.ts";

/** What is told that the work which it is a part of was called off. */
export interface Stoppable {
  stop(reason: HubError): void;
}

/** Work that may be called off; an `AbortSignal` says the same and costs more than all the rest of a call. */
export interface StopSource {
  /** Why it was called off, if it was. */
  readonly abortReason: HubError | undefined;
  /** Tells `part` when it is called off; nothing comes where that has happened already. */
  addPart(part: Stoppable): void;
  removePart(part: Stoppable): void;
}

/** On whose behalf a call into the hub is made: what it inherits. */
export interface CallScope {
  /** Epoch milliseconds, or `Infinity`. */
  readonly deadlineMs: number;
  readonly source: StopSource | undefined;
  readonly traceParent: string;
  readonly sessionId: string;
}

/** For calls that belong to no call being served. */
export const ROOT_SCOPE: CallScope = {
  deadlineMs: Number.POSITIVE_INFINITY,
  source: undefined,
  traceParent: "",
  sessionId: "",
};

/** What bounds one call. */
export interface Limits {
  /** Epoch milliseconds; always finite, except for streams that nobody bounded. */
  readonly deadlineMs: number;
  readonly source: StopSource | undefined;
  readonly signal: AbortSignal | undefined;
  /** Where there is no deadline: how long to wait for the next message, in milliseconds. */
  readonly idleTimeoutMs: number;
}

/**
 * The limits of a call: the caller's own timeout, never past the deadline of the call that it serves. Where neither is set a
 * plain call has 30 s; a stream may go on for as long as something comes at least every 30 s.
 */
export function limitsOf(scope: CallScope, options?: CallOptions, isStream = false): Limits {
  const timeoutMs = options?.timeoutMs;
  const isFree = timeoutMs === undefined && scope.deadlineMs === Number.POSITIVE_INFINITY;
  const own = timeoutMs ?? (isFree && !isStream ? DEFAULT_TIMEOUT_MS : Number.POSITIVE_INFINITY);
  return {
    deadlineMs: Math.min(scope.deadlineMs, Date.now() + own),
    source: scope.source,
    signal: options?.signal,
    idleTimeoutMs: DEFAULT_TIMEOUT_MS,
  };
}

/** Watches the limits of one call from now on: `stop` is called once when one of them is passed. */
export class LimitWatch implements Timed, Stoppable {
  readonly deadlineMs: number;
  readonly #limits: Limits;
  readonly #deadlines: Deadlines;
  readonly #stop: (reason: HubError) => void;
  #onAbort: (() => void) | undefined;

  constructor(limits: Limits, deadlines: Deadlines, stop: (reason: HubError) => void) {
    this.deadlineMs = limits.deadlineMs;
    this.#limits = limits;
    this.#deadlines = deadlines;
    this.#stop = stop;
    deadlines.add(this);
    limits.source?.addPart(this);
    const { signal } = limits;
    if (signal === undefined) return;
    this.#onAbort = () => this.stop(abortError(signal.reason));
    signal.addEventListener("abort", this.#onAbort);
  }

  /** Takes the watch off. */
  end(): void {
    this.#deadlines.delete(this);
    this.#limits.source?.removePart(this);
    if (this.#onAbort !== undefined) this.#limits.signal?.removeEventListener("abort", this.#onAbort);
  }

  stop(reason: HubError): void {
    this.end();
    this.#stop(reason);
  }

  expired(): void {
    this.stop(deadlinePassed());
  }
}

/** @throws {HubError} `CANCELLED` or `DEADLINE_EXCEEDED` where a limit has been passed already */
export function assertWithinLimits({ source, signal, deadlineMs }: Limits): void {
  if (source?.abortReason !== undefined) throw source.abortReason;
  if (signal?.aborted) throw abortError(signal.reason);
  if (deadlineMs <= Date.now()) throw deadlinePassed();
}

function deadlinePassed(): HubError {
  return new HubError(ErrorCode.DeadlineExceeded, "No answer came before the deadline");
}
