import { HubError, uuidv7 } from "@orchestrator/protocol";
import type { ListKind, LogEntry, LogLevel } from "./backend.ts";
import { gatherAnswers } from "./batch.ts";
import { type Call, Calls, type Reply } from "./calls.ts";
import type { RequestContext } from "./context.ts";
import { clientName, initializeResult, requestedRevision } from "./initialize.ts";
import { isDeeperThan } from "./json.ts";
import {
  classify,
  errorText,
  isRequestId,
  notificationText,
  type Params,
  type Request,
  type RequestId,
  resultText,
} from "./jsonrpc.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { ListChanges, soon } from "./list-changes.ts";
import { DEFAULT_LOG_LEVEL, isLogLevel, isSevere } from "./log-level.ts";
import { METHODS } from "./methods/table.ts";
import type { McpSession, McpSessionOptions } from "./options.ts";
import { progressReporter, progressToken } from "./progress.ts";
import type { Revision } from "./revision.ts";
import { invalidParams, invalidRequest, RpcCode, RpcError, toRpcError } from "./rpc-error.ts";

/** Serves one client. Knows nothing of what carries the messages. */
export function createMcpSession(options: McpSessionOptions): McpSession {
  return new Session(options);
}

/** What the handshake settled; replaced as a whole when a client starts over. Calls under way keep the one they began with. */
interface Settled {
  readonly revision: Revision;
  readonly sessionId: string;
}

class Session implements McpSession {
  readonly #options: McpSessionOptions;
  readonly #limits: Limits;
  readonly #calls = new Calls();
  readonly #changes: ListChanges;
  readonly #stops: readonly (() => void)[];
  #settled: Settled | undefined;
  /** The client has said that it is ready to hear from us. */
  #ready = false;
  #logLevel: LogLevel = DEFAULT_LOG_LEVEL;
  #closed = false;

  constructor(options: McpSessionOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#changes = new ListChanges(options.schedule ?? soon, (kinds) => this.#tellChanges(kinds));
    this.#stops = [
      options.backend.onListChanged((kind) => this.#changes.add(kind)),
      options.backend.onLog((entry) => this.#tellLog(entry)),
    ];
  }

  get sessionId(): string {
    return this.#settled?.sessionId ?? "";
  }

  receive(message: unknown): void {
    if (this.#closed) return;
    try {
      const value = typeof message === "string" ? this.#parse(message) : message;
      const { maxDepth } = this.#limits;
      if (isDeeperThan(value, maxDepth)) throw invalidRequest(`The message is nested more than ${maxDepth} deep`);
      if (Array.isArray(value)) this.#takeBatch(value);
      else this.#takeOne(value, (text, about) => this.#send(text, about));
    } catch (reason) {
      this.#send(errorText(null, toRpcError(reason)));
    }
  }

  refuse(reason: string): void {
    this.#send(errorText(null, invalidRequest(reason)));
  }

  idle(): Promise<void> {
    return this.#calls.idle();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const stop of this.#stops) stop();
    this.#changes.reset();
    this.#calls.cancelAll();
  }

  #parse(message: string): unknown {
    const { maxMessageLength } = this.#limits;
    if (message.length > maxMessageLength) {
      throw invalidRequest(`The message is longer than ${maxMessageLength} characters`);
    }
    try {
      return JSON.parse(message);
    } catch {
      throw new RpcError(RpcCode.ParseError, "Parse error: the message is not JSON");
    }
  }

  #takeBatch(messages: readonly unknown[]): void {
    const { maxBatch } = this.#limits;
    // A batch cannot open a conversation either: its version, which decides whether there are batches, is not settled yet.
    if (this.#settled?.revision.batches !== true)
      throw invalidRequest("A batch is not allowed in this protocol version");
    if (messages.length === 0) throw invalidRequest("A batch must not be empty");
    if (messages.length > maxBatch) throw invalidRequest(`A batch may hold ${maxBatch} messages`);
    const answer = gatherAnswers(messages.length, (text) => this.#send(text));
    for (const message of messages) this.#takeOne(message, answer, "batched");
  }

  #takeOne(value: unknown, reply: Reply, batched?: "batched"): void {
    const message = classify(value);
    if (message.kind === "request") {
      this.#requested(message, reply, batched);
    } else if (message.kind === "invalid") {
      reply(errorText(message.id, message.error), message.id ?? undefined);
    } else {
      if (message.kind === "notification") this.#notified(message.method, message.params);
      reply(undefined);
    }
  }

  #notified(method: string, params: Params): void {
    if (method === "notifications/initialized" && this.#settled !== undefined) {
      this.#ready = true;
      this.#changes.open();
    } else if (method === "notifications/cancelled" && isRequestId(params["requestId"])) {
      const { requestId, reason } = params;
      const why = typeof reason === "string" ? `: ${reason.slice(0, 200)}` : "";
      if (this.#calls.cancel(requestId)) this.#options.log?.("debug", `The client cancelled a request${why}`);
    }
  }

  #requested(request: Request, reply: Reply, batched: "batched" | undefined): void {
    const { id, method, params } = request;
    if (this.#calls.has(id)) {
      // Under its own id this would pass for the answer to the first request.
      reply(errorText(null, invalidRequest("The id belongs to a request that is under way", { id })));
      return;
    }
    try {
      if (batched !== undefined && method === "initialize")
        throw invalidRequest("initialize cannot be part of a batch");
      const result = this.#answerAtOnce(method, params);
      if (result === undefined) void this.#run(this.#calls.begin(id, reply), method, params);
      else reply(resultText(id, result), id);
    } catch (reason) {
      reply(this.#failure(id, method, reason), id);
    }
  }

  /** The methods that concern the conversation itself, and the reasons not to begin with any other. */
  #answerAtOnce(method: string, params: Params): object | undefined {
    if (method === "ping") return {};
    if (method === "initialize") return this.#initialize(params);
    const known = method === "logging/setLevel" || METHODS.has(method);
    if (!known) throw new RpcError(RpcCode.MethodNotFound, `Method not found: ${method.slice(0, 200)}`);
    if (this.#settled === undefined) throw invalidRequest(`Send "initialize" before "${method}"`);
    if (method === "logging/setLevel") return this.#setLevel(params);
    if (this.#calls.size < this.#limits.maxInFlight) return undefined;
    const data = { code: "RESOURCE_EXHAUSTED", retryable: true };
    throw new RpcError(RpcCode.InternalError, `${this.#calls.size} requests are under way, which is the limit`, data);
  }

  #initialize(params: Params): object {
    const revision = requestedRevision(params);
    const sessionId = (this.#options.newSessionId ?? uuidv7)();
    this.#settled = { revision, sessionId };
    this.#ready = false;
    this.#logLevel = DEFAULT_LOG_LEVEL;
    this.#changes.reset();
    this.#options.log?.("info", `Session ${sessionId} with ${clientName(params)}, protocol ${revision.version}`);
    return initializeResult(this.#options.info, revision, sessionId);
  }

  #setLevel(params: Params): object {
    const { level } = params;
    if (!isLogLevel(level)) throw invalidParams('"level" must be one of the eight levels from "debug" to "emergency"');
    this.#logLevel = level;
    return {};
  }

  async #run(call: Call, method: string, params: Params): Promise<void> {
    try {
      const answer = METHODS.get(method)!;
      call.end(resultText(call.id, await answer(params, this.#context(call, params))));
    } catch (reason) {
      if (!call.over) call.end(this.#failure(call.id, method, reason));
    }
  }

  #context(call: Call, params: Params): RequestContext {
    const { revision, sessionId } = this.#settled!;
    const { id, signal } = call;
    const token = progressToken(params);
    const report = (text: string) => {
      if (!call.over && this.#options.congested?.() !== true) this.#send(text, id);
    };
    const onProgress = token === undefined ? undefined : progressReporter(token, revision, report);
    const { backend } = this.#options;
    return { backend, revision, sessionId, signal, pageSize: this.#limits.pageSize, requestId: String(id), onProgress };
  }

  #failure(id: RequestId, method: string, reason: unknown): string {
    if (!(reason instanceof RpcError) && !(reason instanceof HubError)) {
      const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
      this.#options.log?.("error", `${method} failed: ${text}`);
    }
    return errorText(id, toRpcError(reason));
  }

  #tellChanges(kinds: readonly ListKind[]): void {
    for (const kind of kinds) this.#send(notificationText(`notifications/${kind}/list_changed`));
  }

  #tellLog({ level, logger, data }: LogEntry): void {
    if (!this.#ready || !isSevere(level, this.#logLevel) || this.#options.congested?.() === true) return;
    this.#send(notificationText("notifications/message", { level, logger, data }));
  }

  #send(text: string | undefined, about?: RequestId): void {
    if (text !== undefined && !this.#closed) this.#options.send(text, about);
  }
}
