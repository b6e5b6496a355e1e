import { ErrorCode, HubError } from "@orchestrator/protocol";

/** For `open` on a link that is closing or gone. */
export function notOpen(peer: string): HubError {
  return new HubError(
    ErrorCode.Unavailable,
    `Cannot open a call: the link to ${peer || "the peer"} is closed or closing`,
  );
}

/** For the handler of a call whose peer gave it up. */
export function cancelledByPeer(): HubError {
  return new HubError(ErrorCode.Cancelled, "The peer cancelled the call");
}

/** For the open calls of a link that goes away; `why` completes the sentence "the link to X …". */
export function linkLost(peer: string, why: string): HubError {
  return new HubError(ErrorCode.Unavailable, `The link to ${peer || "the peer"} ${why}`);
}

/** What an aborted signal means: a `HubError` as it is, a timeout as `DEADLINE_EXCEEDED`, everything else as `CANCELLED`. */
export function abortError(reason: unknown): HubError {
  if (reason instanceof HubError) return reason;
  if ((reason as { name?: unknown } | undefined)?.name === "TimeoutError") {
    return new HubError(ErrorCode.DeadlineExceeded, "The call took longer than its signal allows", { cause: reason });
  }
  return new HubError(ErrorCode.Cancelled, "The caller cancelled the call", { cause: reason });
}
