import { isObject, type JsonValue } from "./json.ts";
import { invalidRequest, RpcCode, RpcError } from "./rpc-error.ts";

/** What names a request: the Model Context Protocol allows no null and no fractions. */
export type RequestId = string | number;

/** One message of a client, taken apart. */
export type Incoming =
  | Request
  | { readonly kind: "notification"; readonly method: string; readonly params: Params }
  /** An answer to something we asked; we never ask. */
  | { readonly kind: "response" }
  | { readonly kind: "invalid"; readonly id: RequestId | null; readonly error: RpcError };

export interface Request {
  readonly kind: "request";
  readonly id: RequestId;
  readonly method: string;
  readonly params: Params;
}

/** Named parameters; an object that came from a parser, so nothing but its own keys may be trusted. */
export type Params = { readonly [key: string]: unknown };

const NO_PARAMS: Params = Object.freeze({});

/**
 * Sorts one parsed message (not a batch). A null where the parameters belong counts as absent, since several client libraries
 * write absent members that way; every other departure from JSON-RPC is named.
 */
export function classify(message: unknown): Incoming {
  if (!isObject(message)) return invalid(null, "A message must be a JSON object");
  const { id, method, params } = message;
  const known = isRequestId(id) ? id : null;
  if (message["jsonrpc"] !== "2.0") return invalid(known, 'The member "jsonrpc" must be "2.0"');
  if (method === undefined && ("result" in message || "error" in message)) return { kind: "response" };
  if (typeof method !== "string") return invalid(known, 'The member "method" must be a string');
  if (id !== undefined && known === null) {
    return invalid(null, 'The member "id" must be a string or an integer that a double can hold');
  }
  if (params !== undefined && params !== null && typeof params !== "object") {
    return invalid(known, 'The member "params" must be an object');
  }
  if (Array.isArray(params)) {
    // A notification is never answered, not even to say that it cannot be understood.
    if (known === null) return { kind: "notification", method, params: NO_PARAMS };
    const error = new RpcError(RpcCode.InvalidParams, "Parameters are given by name, in an object");
    return { kind: "invalid", id: known, error };
  }
  const named = isObject(params) ? params : NO_PARAMS;
  if (known === null) return { kind: "notification", method, params: named };
  return { kind: "request", id: known, method, params: named };
}

function invalid(id: RequestId | null, message: string): Incoming {
  return { kind: "invalid", id, error: invalidRequest(message) };
}

/** Beyond the safe integers a parser rounds, and the answer would name a request that nobody sent. */
export function isRequestId(value: unknown): value is RequestId {
  return typeof value === "string" || Number.isSafeInteger(value);
}

/** A key under which 1 and "1" differ. */
export function requestKey(id: RequestId): string {
  return typeof id === "number" ? `n${id}` : `s${id}`;
}

/** @throws {RangeError} when the result is too deep or too long to write */
export function resultText(id: RequestId, result: object): string {
  return JSON.stringify({ jsonrpc: "2.0", id, result });
}

export function errorText(id: RequestId | null, error: RpcError): string {
  const { code, message, data } = error;
  return JSON.stringify({
    jsonrpc: "2.0",
    id,
    error: data === undefined ? { code, message } : { code, message, data },
  });
}

export function notificationText(method: string, params?: { readonly [key: string]: JsonValue | undefined }): string {
  return JSON.stringify(params === undefined ? { jsonrpc: "2.0", method } : { jsonrpc: "2.0", method, params });
}
