import type { HttpHeader, HttpResponse } from "@orchestrator/protocol";
import { readHeaders } from "./headers.ts";
import { broken, isObject, type JsonObject, own, parseFrame, parseJson } from "./json.ts";

/** What an answer holds, and what is to be known of the frame that it came in. */
export interface Answer<T> {
  readonly value: T;
  /**
   * The answer repeated the id of the question. One that has no id at all is taken as well, but only from a connection that has
   * carried nothing else: there it cannot be the late answer to something before.
   */
  readonly hasId: boolean;
  /** What was found and put right or left out; for the log. */
  readonly remarks: readonly string[];
}

export type HttpAnswer = Pick<HttpResponse, "status" | "headers" | "body">;

/**
 * Reads an HTTP answer, in whichever of the forms that plugins have: JSON within `payload.payload.body`, `payload.status`,
 * `payload.http.status`.
 * @throws {HubError} `PROTOCOL`; its message completes the sentence "Plugin X …"
 */
export function readHttpAnswer(frame: Uint8Array, id: string): Answer<HttpAnswer> {
  const { payload, hasId } = open(frame, id);
  const remarks: string[] = [];
  const response = findResponse(payload, remarks);
  const status = readStatus(own(response, "status"), remarks);
  const headers: HttpHeader[] = readHeaders(own(response, "headers"), remarks);
  return { value: { status, headers, body: readBody(own(response, "body")) }, hasId, remarks };
}

/**
 * Reads an answer of a plugin's store: `value` within the JSON of `payload.payload.body`, or `payload.value`. `null` stands for
 * "no such key" and for "done".
 * @throws {HubError} `PROTOCOL`; its message completes the sentence "Plugin X …"
 */
export function readKvAnswer(frame: Uint8Array, id: string): Answer<string | null> {
  const { payload, hasId } = open(frame, id);
  const inner = own(own(payload, "payload"), "body");
  const wrapped = typeof inner === "string" ? parseJson(inner) : undefined;
  const holder = own(wrapped, "value") !== undefined ? wrapped : payload;
  const value = own(holder, "value");
  if (value === null || typeof value === "string") return { value, hasId, remarks: [] };
  // A serialiser that leaves out what is null.
  if (value === undefined && own(payload, "type") === "kv") return { value: null, hasId, remarks: [] };
  throw broken(`answered a question about its store with ${value === undefined ? "no value" : `a ${typeof value}`}`);
}

function open(frame: Uint8Array, id: string): { readonly payload: JsonObject; readonly hasId: boolean } {
  const message = parseFrame(frame);
  const payload = own(message, "payload");
  if (!isObject(payload)) throw broken("answered without a payload");
  const outside = own(message, "request_id") ?? undefined;
  const inside = own(payload, "request_id") ?? undefined;
  for (const found of [outside, inside]) {
    if (found !== undefined && found !== id) throw broken(`answered ${shown(found)} where "${id}" was asked`);
  }
  return { payload, hasId: outside !== undefined || inside !== undefined };
}

function findResponse(payload: JsonObject, remarks: string[]): JsonObject {
  const request = own(payload, "payload");
  const body = own(request, "body");
  const wrapped = typeof body === "string" ? parseJson(body) : undefined;
  for (const candidate of [wrapped, payload, own(payload, "http")]) {
    if (isObject(candidate) && own(candidate, "status") !== undefined) return candidate;
  }
  // A response in the disguise of a request, with nothing in it that says how it went: existing cores make 500 of it.
  if (typeof own(request, "method") !== "string") throw broken("answered with neither a status nor a response");
  remarks.push("its response has no status");
  return isObject(wrapped) ? wrapped : {};
}

function readStatus(value: unknown, remarks: string[]): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
    if (value !== undefined) remarks.push(`its status is ${shown(value)}, not a number`);
    return 500;
  }
  if (value < 100 || value > 599) throw broken(`answered with the status ${value}`);
  return value;
}

/** A text as it is; nothing for null; whatever else it is, as JSON. */
function readBody(value: unknown): Uint8Array {
  if (value === undefined || value === null) return new Uint8Array();
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
}

/** A value of the plugin's, short enough for a line of the log. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
