import type { HubError } from "@orchestrator/protocol";
import type { PayloadSource } from "./payload-source.ts";

/** Names one call on one link, whichever side opened it. Unique among the open calls of that link. */
export type CallId = number;

/** What carries a link. */
export type Carrier = "memory" | "fd" | "unix" | "tls" | "quic";

/**
 * How many bytes of messages a sender may have outstanding on one call before the receiver credits them back. A message may
 * be sent while the balance is above zero, and may take it below: a single message of the largest size always passes.
 * 256 KiB keeps a fast local pipe full, and lets 1 000 stalled streams hold 256 MiB and no more.
 */
export const CALL_WINDOW_BYTES = 256 * 1024;

/**
 * One authenticated, multiplexed, two-way connection between two peers. Both sides may open calls. A call is a sequence of
 * messages in each direction; a message is one protobuf envelope (no length prefix; the carrier frames it), at most 16 MiB.
 * Everything is synchronous and callback-driven: a relay needs no promise, closure or timer per message.
 *
 * Every call ends exactly once for each side:
 * - for the side that answers, with the `last` message that it sends;
 * - for the side that opened it, with the `last` message that it receives: an answer ends the call even if the opener has not
 *   sent its own `last`; what the opener still sends is dropped;
 * - for either side, before that, with `cancelled`.
 *
 * After its end a side hears no more of the call, and `send`, `cancel` and `credit` do nothing on it.
 */
export interface Link {
  /** From the verified certificate (its common name), never from anything that the peer said; "" where there is none. */
  readonly peer: string;
  readonly carrier: Carrier;
  /** For people: where the peer is. */
  readonly remoteAddress: string;
  /** Resolves once the link is gone, for whatever reason; never rejects. */
  readonly closed: Promise<void>;
  /** False once close, abort or the peer's end has begun: `open` would throw. */
  readonly isOpen: boolean;

  /**
   * Opens a call with its first message. With `last` nothing more will be sent on it by this side.
   * Where the peer's limit of concurrent calls is reached, the call waits its turn inside the link.
   * @throws {HubError} `UNAVAILABLE` on a link that is closing, `FRAME_TOO_LARGE` over 16 MiB
   */
  open(payload: Uint8Array, last: boolean): CallId;

  /** As `open`, for carriers that can take a message from where it is made; see `openFrom`. */
  openFrom?(source: PayloadSource, last: boolean): CallId;

  /**
   * Sends one more message on a call. On a call that is over it does nothing and returns true.
   * @returns false when the call's window is used up: this message is sent or queued, but the next one should wait for
   * `drained`, which will come unless the call ends first
   * @throws {HubError} `FRAME_TOO_LARGE` over 16 MiB; nothing was sent and the call is still open
   */
  send(call: CallId, payload: Uint8Array, last: boolean): boolean;

  /** Ends a call at once in both directions: the peer's handler sees `cancelled`, this side's handler sees nothing more of it. */
  cancel(call: CallId): void;

  /**
   * Says that `bytes` of received messages of a call were used up, so that the peer may send as many more.
   * Due for every message that is not `last`. On a call that is over it does nothing.
   */
  credit(call: CallId, bytes: number): void;

  /**
   * Graceful: no new calls, messages already sent are delivered, open calls are waited for up to `graceMs` (default 5 000),
   * then cancelled with `UNAVAILABLE`. Calls that the peer opens meanwhile are cancelled for it with `UNAVAILABLE`.
   * Repeatable; the shortest grace wins. Resolves with `closed`.
   */
  close(graceMs?: number): Promise<void>;

  /**
   * At once: queued messages are dropped, every open call is `cancelled` with `reason` and the handler `closed` with it,
   * before this returns. The peer sees `UNAVAILABLE`.
   */
  abort(reason: HubError): void;
}

/**
 * What one side does with what the other sends. Called synchronously, in order of arrival per call; must not throw.
 * Payloads are the receiver's to keep, and what is passed to `open` and `send` is the link's: nobody writes into it any more.
 */
export interface LinkHandler {
  /** The peer opened a call. With `last` it will send nothing more on it. */
  request(call: CallId, payload: Uint8Array, last: boolean): void;
  /** One more message on a call that either side opened. With `last`, on a call that this side opened, it ends the call. */
  message(call: CallId, payload: Uint8Array, last: boolean): void;
  /** The call is over without having been finished: the peer cancelled it (`CANCELLED`), or the link broke (`UNAVAILABLE` …). */
  cancelled(call: CallId, error: HubError): void;
  /** There is room again on a call for which `send` returned false. */
  drained(call: CallId): void;
  /** The link is gone; every open call was `cancelled` before. `error` is absent after a graceful close. */
  closed(error?: HubError): void;
}

/** Makes the handler of a new link. Called once, before anything is delivered on it. */
export type AcceptLink = (link: Link) => LinkHandler;

/** A bound listener. */
export interface LinkListener extends AsyncDisposable {
  /** The real address: `host:port` with the port that the system chose, or a path. */
  readonly address: string;
  /** Stops accepting, closes every link gracefully within `graceMs`, then aborts the rest. Repeatable. */
  close(graceMs?: number): Promise<void>;
}

/** Key material of one peer, PEM. */
export interface TlsMaterial {
  /** The leaf certificate, then any intermediates. */
  readonly certPem: string;
  /** PKCS#8. */
  readonly keyPem: string;
  /** The one certificate authority that peers must chain to. */
  readonly caPem: string;
}
