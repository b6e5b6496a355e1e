/** Links over an inherited descriptor, a Unix socket or named pipe, and TLS: one frame format. @module */
export { parseSocketAddress, type SocketAddress } from "./address.ts";
export { dialSocket, openFdLink } from "./dial.ts";
export { FrameKind, HEADER_BYTES, HELLO, MAX_PIECE_BYTES } from "./frame.ts";
export { listenSocket } from "./listen.ts";
export type { SocketDialOptions, SocketListenOptions, SocketOptions } from "./options.ts";
export { SocketLink, type SocketLinkOptions } from "./socket-link.ts";
