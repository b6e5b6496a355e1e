/** The Link interface and the carriers that need no platform. @module */
export type { AcceptLink, CallId, Carrier, Link, LinkHandler, LinkListener, TlsMaterial } from "./link.ts";
export { CALL_WINDOW_BYTES } from "./link.ts";
