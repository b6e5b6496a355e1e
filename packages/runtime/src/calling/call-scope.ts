import { DEFAULT_TIMEOUT_MS, ErrorCode, HubError } from "@orchestrator/protocol";
import { abortError } from "@orchestrator/transport";
import type { CallOptions } from "../hub-client.ts";

/** On whose behalf a call into the hub is made: what it inherits. */
export interface CallScope {
  /** Epoch milliseconds, or `Infinity`. */
  readonly deadlineMs: number;
  /** A getter where a signal costs something to make. */
  readonly signal: AbortSignal | undefined;
  readonly traceParent: string;
  readonly sessionId: string;
}

/** For calls that belong to no call being served. */
export const ROOT_SCOPE: CallScope = {
  deadlineMs: Number.POSITIVE_INFINITY,
  signal: undefined,
  traceParent: "",
  sessionId: "",
};

/** What bounds one call. */
export interface Limits {
  /** Epoch milliseconds; always finite, except for streams that nobody bounded. */
  readonly deadlineMs: number;
  readonly signals: readonly AbortSignal[];
  /** Where there is no deadline: how long to wait for the next message, in milliseconds. */
  readonly idleTimeoutMs: number;
}

/**
 * The limits of a call: the caller's own timeout, never past the deadline of the call that it serves. Where neither is set a
 * plain call has 30 s; a stream may go on for as long as something comes at least every 30 s.
 */
export function limitsOf(scope: CallScope, options: CallOptions = {}, isStream = false): Limits {
  const isFree = options.timeoutMs === undefined && scope.deadlineMs === Number.POSITIVE_INFINITY;
  const own = options.timeoutMs ?? (isFree && !isStream ? DEFAULT_TIMEOUT_MS : Number.POSITIVE_INFINITY);
  const signals = [scope.signal, options.signal].filter((signal) => signal !== undefined);
  return { deadlineMs: Math.min(scope.deadlineMs, Date.now() + own), signals, idleTimeoutMs: DEFAULT_TIMEOUT_MS };
}

/** Calls `stop` once when a limit is passed; the returned function takes the watch off. */
export function watchLimits(limits: Limits, stop: (reason: HubError) => void): () => void {
  const leftMs = limits.deadlineMs - Date.now();
  let timer: NodeJS.Timeout | undefined;
  const unwatch = () => {
    clearTimeout(timer);
    for (const signal of limits.signals) signal.removeEventListener("abort", onAbort);
  };
  const end = (reason: HubError) => {
    unwatch();
    stop(reason);
  };
  function onAbort(this: AbortSignal): void {
    end(abortError(this.reason));
  }
  if (leftMs < 2 ** 31) timer = setTimeout(() => end(deadlinePassed()), Math.max(0, leftMs));
  for (const signal of limits.signals) signal.addEventListener("abort", onAbort);
  return unwatch;
}

/** @throws {HubError} `CANCELLED` or `DEADLINE_EXCEEDED` where a limit has been passed already */
export function assertWithinLimits(limits: Limits): void {
  for (const signal of limits.signals) if (signal.aborted) throw abortError(signal.reason);
  if (limits.deadlineMs <= Date.now()) throw deadlinePassed();
}

function deadlinePassed(): HubError {
  return new HubError(ErrorCode.DeadlineExceeded, "No answer came before the deadline");
}
