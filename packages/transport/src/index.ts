/** The Link interface, the memory carrier and promises over a link; needs no platform. @module */
export { Deadlines, type Timed } from "./deadlines.ts";
export { abortError, cancelledByPeer, linkLost, notOpen } from "./errors.ts";
export { IdTable } from "./id-table.ts";
export type { AcceptLink, CallId, Carrier, Link, LinkHandler, LinkListener, TlsMaterial } from "./link.ts";
export { CALL_WINDOW_BYTES } from "./link.ts";
export { type MemoryLinkOptions, memoryLinkPair } from "./memory/memory-link.ts";
export { openFrom, type PayloadSource, payloadOf } from "./payload-source.ts";
export type { IncomingCall, ServeCall } from "./peer/incoming-call.ts";
export { LinkPeer } from "./peer/link-peer.ts";
export type { CallOptions } from "./peer/outgoing-call.ts";
export type { AbortSignalOfHost, MinimalAbortSignal } from "./platform.ts";
