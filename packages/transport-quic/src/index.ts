/** QUIC with mutual TLS: the carrier of existing Orchestra peers. @module */
export { dialQuic } from "./endpoint/dial.ts";
export { listenQuic } from "./endpoint/listen.ts";
export type { QuicDialOptions, QuicListenOptions } from "./options.ts";
export { type QuicSupport, quicSupport } from "./support.ts";
