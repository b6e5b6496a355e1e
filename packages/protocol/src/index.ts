/** Frames, envelopes, errors and ids shared by hub and plugins. Pure functions: no sockets, timers or processes. @module */
export { ErrorCode, HubError } from "./errors.ts";
export * from "./messages.ts";
