import { ErrorCode, type HttpHeader, type HttpRequest, HubError } from "@orchestrator/protocol";
import { frameOf, textOf } from "./json.ts";

/** What a plugin is told when it has started. */
export interface InitFields {
  /** A UUID: this installation. */
  readonly instanceId: string;
  /** The path of the socket that the plugin listens on. */
  readonly pluginSocket: string;
  /** The file that its log goes to. */
  readonly logPath: string;
}

/** One question about the plugin's store. */
export interface KvQuestion {
  readonly action: "get" | "set" | "delete";
  readonly key: string;
  /** Only for `set`. */
  readonly value?: string;
}

/**
 * How a plugin reads questions about its store. `sdk` serves plugins that look at `payload.action` with a capital and those
 * that look at `payload.payload.action` in lower case; `early-sdk` those that look there with a capital; `docs` those that
 * look at `payload.action` in lower case. One message cannot serve all: the one word would have to be written in two ways.
 */
export type KvForm = "sdk" | "early-sdk" | "docs";

/** Told once per start, on a connection of its own; nothing answers it. */
export function initFrame({ instanceId, pluginSocket, logPath }: InitFields): Buffer {
  const fields = { instance_id: instanceId, plugin_socket: pluginSocket, log_path: logPath };
  return frameOf(envelope("lifecycle", null, { type: "lifecycle", action: "init", ...fields }));
}

/** Asks the plugin to end; nothing answers it. */
export function shutdownFrame(): Buffer {
  return frameOf(envelope("lifecycle", null, { type: "lifecycle", action: "shutdown" }));
}

/**
 * @param id names this exchange; the plugin repeats it
 * @throws {HubError} `INVALID_ARGUMENT` for a body that is not UTF-8, `FRAME_TOO_LARGE`
 */
export function httpFrame(id: string, request: Pick<HttpRequest, "method" | "path" | "headers" | "body">): Buffer {
  const body = request.body.length === 0 ? null : textOf(request.body);
  if (body === undefined) {
    throw new HubError(
      ErrorCode.InvalidArgument,
      "The body is not UTF-8, and this plugin's protocol carries text alone",
    );
  }
  const { method, path } = request;
  const inner = { method, path, headers: joinHeaders(request.headers), body };
  return frameOf(envelope("http", id, { type: "http", request_id: id, payload: inner }));
}

/** @throws {HubError} `FRAME_TOO_LARGE` */
export function kvFrame(id: string, { action, key, value }: KvQuestion, form: KvForm = "sdk"): Buffer {
  const rest = value === undefined ? { key } : { key, value };
  const capital = action[0]!.toUpperCase() + action.slice(1);
  const payload = {
    sdk: { action: capital, ...rest, payload: { action, ...rest } },
    "early-sdk": { payload: { action: capital, ...rest } },
    docs: { action, ...rest },
  }[form];
  return frameOf(envelope("kv", id, { type: "kv", request_id: id, ...payload }));
}

/** Every reader ignores the keys that it does not know, so one envelope serves them all. */
function envelope(type: string, requestId: string | null, payload: object) {
  return { type, timestamp: new Date().toISOString(), request_id: requestId, payload };
}

/** Of these a request has one; a list of two would be read as neither. The last one counts, as existing cores have it. */
const SINGLE: ReadonlySet<string> = new Set([
  "authorization",
  "content-length",
  "content-location",
  "content-type",
  "date",
  "from",
  "host",
  "if-modified-since",
  "if-unmodified-since",
  "referer",
  "user-agent",
]);

/** The protocol has one value per name. Headers that may stand more than once are joined as HTTP joins them. */
function joinHeaders(headers: readonly HttpHeader[]): Record<string, string> {
  const joined = new Map<string, string>();
  for (const { name, value } of headers) {
    const key = name.toLowerCase();
    const before = joined.get(key);
    const between = key === "cookie" ? "; " : ", ";
    joined.set(key, before === undefined || SINGLE.has(key) ? value : before + between + value);
  }
  // From entries, so that a header called "__proto__" is a header.
  return Object.fromEntries(joined);
}
