import type { Json } from "./stand-in.ts";

/** What a plugin on the SDK makes of a message. `silent`: it is taken for something that wants no answer. */
export type SdkReading =
  | { readonly is: "init"; readonly instanceId: string; readonly socket: string; readonly logPath: string }
  | { readonly is: "http"; readonly id: string; readonly request: Json }
  | { readonly is: "kv"; readonly id: string; readonly action: string; readonly key: string; readonly value?: string }
  | { readonly is: "shutdown" | "silent" | "not initialised" | "error" };

/** The SDK has had two forms of questions about the store; `early` has the operation in a payload of its own. */
export type SdkAge = "late" | "early";

const ERROR: SdkReading = { is: "error" };
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const isText = (value: unknown): value is string => typeof value === "string";
const isNothing = (value: unknown): boolean => value === undefined || value === null;
const isTextOrNothing = (value: unknown): boolean => isNothing(value) || isText(value);
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
const isTime = (value: unknown): boolean =>
  isText(value) && RFC3339.test(value) && !Number.isNaN(Date.parse(value.toUpperCase()));

/** Decodes as the SDK does: the outer type counts for nothing, the inner one for everything; unknown keys are passed over. */
export function readAsSdk(body: string | Uint8Array, age: SdkAge = "late"): SdkReading {
  let message: Json;
  try {
    message = JSON.parse(typeof body === "string" ? body : UTF8.decode(body), wellFormed);
  } catch {
    return ERROR;
  }
  const { type, timestamp, request_id, payload } = message ?? {};
  if (!isText(type) || !isTime(timestamp) || !isTextOrNothing(request_id) || typeof payload !== "object") return ERROR;
  switch (payload?.type) {
    case "lifecycle":
      return lifecycle(payload);
    case "http":
      return http(payload);
    case "kv":
      return age === "late" ? kv(payload) : earlyKv(payload);
    default:
      return ERROR;
  }
}

/** Half a surrogate pair is no text to the SDK's parser. */
function wellFormed(_: string, value: unknown): unknown {
  if (isText(value) && !value.isWellFormed()) throw new Error("half a surrogate pair");
  return value;
}

function lifecycle({ action, instance_id, plugin_socket, log_path }: Json): SdkReading {
  if (!isText(action)) return ERROR;
  if (action === "shutdown") return { is: "shutdown" };
  if (action !== "init") return { is: "silent" };
  if (![instance_id, plugin_socket, log_path].every(isText)) return { is: "not initialised" };
  return { is: "init", instanceId: instance_id, socket: plugin_socket, logPath: log_path };
}

function http({ request_id, payload }: Json): SdkReading {
  const { method, path, headers, body } = payload ?? {};
  if (![request_id, method, path].every(isText) || typeof headers !== "object" || headers === null) return ERROR;
  if (!Object.values(headers).every(isText) || !isTextOrNothing(body)) return ERROR;
  return { is: "http", id: request_id, request: payload };
}

function kv({ request_id, action, key, value }: Json): SdkReading {
  if (!isText(request_id)) return ERROR;
  // Whatever is no operation is read as an answer, whose value may be missing.
  if (!isOperation({ action, key, value })) return isTextOrNothing(value) ? { is: "silent" } : ERROR;
  return { is: "kv", id: request_id, action, key, ...(action === "Set" ? { value } : {}) };
}

function earlyKv({ request_id, payload }: Json): SdkReading {
  if (!isText(request_id) || !isOperation(payload ?? {})) return ERROR;
  const { action, key, value } = payload;
  return { is: "kv", id: request_id, action, key, ...(action === "Set" ? { value } : {}) };
}

function isOperation({ action, key, value }: Json): boolean {
  return isText(key) && (action === "Get" || action === "Delete" || (action === "Set" && isText(value)));
}
