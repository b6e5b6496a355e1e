/** The Model Context Protocol on standard input and output, as a client of the hub. @module */
export type { BackoffOptions } from "./hub/backoff.ts";
export type { Connect } from "./hub/hub-connection.ts";
export { quicConnect } from "./hub/quic-connect.ts";
export { DEFAULT_CALL_TIMEOUT_MS, type HubTarget, runStdio, type StdioOptions } from "./run-stdio.ts";
export { DEFAULT_MAX_LINE_BYTES, type StdioEnd, type StdioLog } from "./serve-streams.ts";
