import { randomUUID } from "node:crypto";
import {
  ErrorCode,
  type HttpRequest,
  HubError,
  type KvEntry,
  type KvRequest,
  type PluginResponse,
} from "@orchestrator/protocol";
import { readHttpAnswer, readKvAnswer } from "./codec/decode.ts";
import { httpFrame, type KvForm, type KvQuestion, kvFrame } from "./codec/encode.ts";
import { textOf } from "./codec/json.ts";
import type { Question } from "./exchange.ts";
import type { KvTools } from "./kv-tools.ts";

type Response = NonNullable<PluginResponse["response"]>;

export interface QuestionOptions {
  /** What the caller asked for; 0 where it said nothing. */
  readonly timeoutMs: number;
  readonly httpTimeoutMs: number;
  readonly kvTimeoutMs: number;
  /** How the plugin reads questions about its store; undefined while that is not known. */
  readonly kvForm: KvForm | undefined;
  /** It answered a question in this form. */
  readonly onKvForm: (form: KvForm) => void;
}

/** Methods that do the same when they are carried out twice. */
const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]);

/**
 * An HTTP request as a question to the plugin, or the response that it has without asking: what cannot pass the protocol is
 * refused, never dropped.
 */
export function httpQuestion(request: HttpRequest, options: QuestionOptions): Question | Response {
  const { method, path } = request;
  if (!/^[A-Z][A-Z-]{0,31}$/.test(method)) return plain(400, `"${method}" is no HTTP method`);
  if (!path.startsWith("/")) return plain(400, `The path "${path}" does not start with "/"`);
  const id = randomUUID();
  let frame: Uint8Array;
  try {
    frame = httpFrame(id, request);
  } catch (reason) {
    const { code, message } = HubError.from(reason);
    return plain(code === ErrorCode.FrameTooLarge ? 413 : 415, message);
  }
  return {
    name: `${method} ${path}`,
    frame,
    timeoutMs: shorter(options.timeoutMs, options.httpTimeoutMs),
    isRepeatable: REPEATABLE.has(method),
    read: (answer) => {
      const { value, hasId, remarks } = readHttpAnswer(answer, id);
      return { response: { $case: "http", value }, hasId, remarks };
    },
  };
}

/** A request to a store as a question to the plugin. @throws {HubError} `UNIMPLEMENTED`, `INVALID_ARGUMENT` */
export function kvQuestion({ operation }: KvRequest, options: QuestionOptions): Question {
  switch (operation?.$case) {
    case "get":
      return ask({ action: "get", key: operation.value.key }, options, (value) =>
        kvResponse(value === null ? undefined : entryOf(operation.value.key, value)),
      );
    case "set": {
      const { key, value: bytes, ttlMs, expected } = operation.value;
      if (ttlMs > 0 || expected !== undefined) {
        throw new HubError(ErrorCode.Unimplemented, "A plugin's own store knows neither expiry nor compare-and-set");
      }
      const value = textOf(bytes);
      if (value === undefined) {
        throw new HubError(
          ErrorCode.InvalidArgument,
          "The value is not UTF-8, and this plugin's store keeps text alone",
        );
      }
      return ask({ action: "set", key, value }, options, () => kvResponse(entryOf(key, "")));
    }
    case "delete":
      return ask({ action: "delete", key: operation.value.key }, options, () => kvResponse(undefined));
    default:
      throw new HubError(ErrorCode.Unimplemented, "A plugin's own store can get, set and delete, and nothing else");
  }
}

/** A call of one of the store's tools as a question. @throws {HubError} `NOT_FOUND`, `INVALID_ARGUMENT` */
export function kvToolQuestion(name: string, args: unknown, tools: KvTools, options: QuestionOptions): Question {
  const question = tools.question(name, args);
  return ask(question, options, (value) => ({
    $case: "toolCall",
    value: { success: true, result: { text: value ?? "", value }, errorCode: "", errorMessage: "" },
  }));
}

function ask(question: KvQuestion, options: QuestionOptions, respond: (value: string | null) => Response): Question {
  const inForm = (form: KvForm): Question => {
    const id = randomUUID();
    return {
      name: `kv ${question.action}`,
      frame: kvFrame(id, question, form),
      timeoutMs: shorter(options.timeoutMs, options.kvTimeoutMs),
      isRepeatable: true,
      read: (answer) => {
        const { value, hasId, remarks } = readKvAnswer(answer, id);
        options.onKvForm(form);
        return { response: respond(value), hasId, remarks };
      },
    };
  };
  if (options.kvForm !== undefined) return inForm(options.kvForm);
  return { ...inForm("sdk"), otherwise: () => inForm("early-sdk") };
}

function kvResponse(entry: KvEntry | undefined): Response {
  return { $case: "kv", value: { entry, entries: [], nextKey: "", removed: false, lagged: false } };
}

function entryOf(key: string, value: string): KvEntry {
  return { key, value: new TextEncoder().encode(value), version: 0, updatedAtMs: 0, expiresAtMs: 0 };
}

/** A response in plain words, from this side of the socket. */
function plain(status: number, text: string): Response {
  const headers = [{ name: "content-type", value: "text/plain; charset=utf-8" }];
  return { $case: "http", value: { status, headers, body: new TextEncoder().encode(`${text}\n`) } };
}

function shorter(asked: number, limit: number): number {
  return asked > 0 ? Math.min(asked, limit) : limit;
}
