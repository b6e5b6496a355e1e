import type { Json } from "./stand-in.ts";

/** What a plugin on the SDK makes of a message. `silent`: it is taken for something that wants no answer. */
export type SdkReading =
  | { readonly is: "init"; readonly instanceId: string; readonly socket: string; readonly logPath: string }
  | { readonly is: "http"; readonly id: string; readonly request: Json }
  | { readonly is: "kv"; readonly id: string; readonly action: string; readonly key: string; readonly value?: string }
  | { readonly is: "shutdown" | "silent" | "not initialised" | "error" };

const ERROR: SdkReading = { is: "error" };
const isText = (value: unknown): value is string => typeof value === "string";
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** Decodes as the SDK does: the outer type counts for nothing, the inner one for everything; unknown keys are passed over. */
export function readAsSdk(body: string | Uint8Array): SdkReading {
  let message: Json;
  try {
    message = JSON.parse(Buffer.from(body as string).toString());
  } catch {
    return ERROR;
  }
  const payload = message?.["payload"];
  const { type, timestamp } = message ?? {};
  if (!isText(type) || !isText(timestamp) || !RFC3339.test(timestamp) || typeof payload !== "object") return ERROR;
  switch (payload?.type) {
    case "lifecycle":
      return lifecycle(payload);
    case "http":
      return http(payload);
    case "kv":
      return kv(payload);
    default:
      return ERROR;
  }
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
  if (!Object.values(headers).every(isText) || !(body === undefined || body === null || isText(body))) return ERROR;
  return { is: "http", id: request_id, request: payload };
}

function kv({ request_id, action, key, value }: Json): SdkReading {
  if (!isText(request_id)) return ERROR;
  const isOperation = isText(key) && (action === "Get" || action === "Delete" || (action === "Set" && isText(value)));
  // Whatever is no operation is read as an answer, whose value may be missing.
  if (!isOperation) return { is: "silent" };
  return { is: "kv", id: request_id, action, key, ...(action === "Set" ? { value } : {}) };
}
