import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { JsonValue } from "./json.ts";

/** The codes of JSON-RPC 2.0, and the one that the Model Context Protocol added. */
export const RpcCode = {
  ParseError: -32700,
  InvalidRequest: -32600,
  MethodNotFound: -32601,
  InvalidParams: -32602,
  InternalError: -32603,
  /** A resource that is not there; for the revisions with a handshake. */
  ResourceNotFound: -32002,
} as const;
export type RpcCode = (typeof RpcCode)[keyof typeof RpcCode];

/** What a JSON-RPC error answer says. Made on the way out only: everything below the engine throws HubError. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: RpcCode;
  readonly data: JsonValue | undefined;

  constructor(code: RpcCode, message: string, data?: JsonValue) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** Shorthand for the commonest refusal. */
export function invalidParams(message: string): RpcError {
  return new RpcError(RpcCode.InvalidParams, message);
}

/** The message breaks JSON-RPC, or comes at the wrong time. */
export function invalidRequest(message: string, data?: JsonValue): RpcError {
  return new RpcError(RpcCode.InvalidRequest, `Invalid request: ${message}`, data);
}

/**
 * Turns whatever a backend threw into an answer. A HubError keeps its text, which is written for people; any other error is a
 * bug, and its text stays in the log.
 */
export function toRpcError(reason: unknown): RpcError {
  if (reason instanceof RpcError) return reason;
  if (!(reason instanceof HubError)) return new RpcError(RpcCode.InternalError, "Internal error");
  switch (reason.code) {
    case ErrorCode.InvalidArgument:
    case ErrorCode.NotFound:
      return new RpcError(RpcCode.InvalidParams, reason.message, { code: reason.code });
    default:
      return new RpcError(RpcCode.InternalError, reason.message, { code: reason.code, retryable: reason.retryable });
  }
}
