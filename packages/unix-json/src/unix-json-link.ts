import {
  ErrorCode,
  errorResponse,
  HubError,
  MAX_FRAME_BYTES,
  PluginRequest,
  PluginResponse,
} from "@orchestrator/protocol";
import { type AcceptLink, type CallId, type Link, type LinkHandler, linkLost, notOpen } from "@orchestrator/transport";
import type { KvForm } from "./codec/encode.ts";
import type { Question } from "./exchange.ts";
import { ExchangeQueue } from "./exchange-queue.ts";
import { KvTools } from "./kv-tools.ts";
import { requestShutdown, untilFree } from "./lifecycle.ts";
import { checkListening } from "./listening.ts";
import { httpQuestion, kvQuestion, kvToolQuestion } from "./question.ts";

type Response = NonNullable<PluginResponse["response"]>;

export interface UnixJsonLinkOptions {
  /** The plugin's id. */
  readonly peer: string;
  /** The socket that it listens on. */
  readonly path: string;
  /**
   * How it reads questions about its store; `none` where it has no store. Default `sdk`, and `early-sdk` as soon as the
   * plugin hangs up on that and answers this.
   */
  readonly kvForm?: KvForm | "none";
  /** Connections at once. Default: one, and up to 16 as soon as the plugin shows that it serves several. */
  readonly connections?: number | undefined;
  /** Calls that may wait for a connection. Default 256. */
  readonly queueLimit?: number;
  /** The longest that an HTTP request may take in all. Default 30 000. */
  readonly httpTimeoutMs?: number;
  /** The longest that a question about the store may take in all. Default 5 000. */
  readonly kvTimeoutMs?: number;
  /** It hangs up when we have, which shows that it comes to the end of what it is at: see `check`. Default false. */
  readonly hangsUp?: boolean;
  /** Something was odd and was put right. */
  readonly onRemark?: (text: string) => void;
}

/**
 * A plugin that speaks length-prefixed JSON, as a Link: the hub opens calls with its own envelopes, and the plugin gets the
 * messages that it knows, on connections of its own kind. It answers `http`, `kv`, the store's tools, `list_tools`,
 * `list_prompts`, `health` and `shutdown`; the plugin never opens a call itself.
 */
export class UnixJsonLink implements Link {
  readonly peer: string;
  readonly carrier = "unix";
  readonly remoteAddress: string;
  readonly closed: Promise<void>;
  readonly tools: KvTools;
  readonly #options: UnixJsonLinkOptions;
  readonly #handler: LinkHandler;
  readonly #queue: ExchangeQueue;
  /** Calls that are answered here, with the next turn: nobody is called back from within `open`. */
  readonly #own = new Set<CallId>();
  readonly #resolveClosed: () => void;
  /** Undefined until the plugin has answered a question about its store. */
  #kvForm: KvForm | undefined;
  #state: "open" | "closing" | "closed" = "open";
  #nextCall: CallId = 1;
  #graceTimer: NodeJS.Timeout | undefined;
  #graceEndsMs = Number.POSITIVE_INFINITY;

  constructor(options: UnixJsonLinkOptions, accept: AcceptLink) {
    this.#options = options;
    this.peer = options.peer;
    const { kvForm = "sdk" } = options;
    this.#kvForm = kvForm === "sdk" || kvForm === "none" ? undefined : kvForm;
    this.remoteAddress = `unix:${options.path}`;
    this.tools = new KvTools(options.peer);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#queue = new ExchangeQueue({
      ...options,
      answer: (exchange, response) => this.#answer(exchange.call, exchange.requestId, response),
      fail: (exchange, error) => this.#fail(exchange.call, error),
    });
    this.#handler = accept(this);
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Calls that have not ended. */
  get inFlight(): number {
    return this.#queue.size + this.#own.size;
  }

  /** Grows with every frame that came from the plugin. */
  get heard(): number {
    return this.#queue.heard;
  }

  /** It may still be at work on a question whose answer nobody waits for any more. */
  get isOwed(): boolean {
    return this.#queue.isOwed;
  }

  /**
   * Resolves when it is known that the plugin lives. That is known while it has questions in time, and of one that has nothing to
   * do where it listens. One that has let a question go by must show that it comes to an end with it; however late it does.
   * @throws {HubError} `UNAVAILABLE` when nobody listens; otherwise the signal's reason
   */
  async check(signal: AbortSignal): Promise<void> {
    const { path, hangsUp } = this.#options;
    if (this.#queue.isOwed && hangsUp === true) {
      await untilFree(path, signal);
      this.#queue.isOwed = false;
    } else if (this.#queue.size === 0) await checkListening(path, signal);
  }

  open(payload: Uint8Array, _last: boolean): CallId {
    if (payload.length > MAX_FRAME_BYTES) {
      const what = `Cannot send message: ${payload.length} bytes, the limit is ${MAX_FRAME_BYTES}`;
      throw new HubError(ErrorCode.FrameTooLarge, what);
    }
    if (this.#state !== "open") throw notOpen(this.peer);
    const call = this.#nextCall++;
    let message: PluginRequest;
    try {
      message = PluginRequest.decode(payload);
    } catch (reason) {
      const error = new HubError(ErrorCode.Protocol, "The request does not decode", { cause: reason });
      this.#later(call, () => this.#fail(call, error));
      return call;
    }
    try {
      this.#begin(call, message);
    } catch (reason) {
      const error = HubError.from(reason);
      this.#later(call, () => this.#fail(call, error));
    }
    return call;
  }

  /** A caller has nothing to add to its first message. */
  send(): boolean {
    return true;
  }

  credit(): void {}

  cancel(call: CallId): void {
    this.#own.delete(call);
    this.#queue.cancel(call);
    this.#closeIfIdle();
  }

  close(graceMs = 5_000): Promise<void> {
    if (this.#state === "closed") return this.closed;
    this.#state = "closing";
    const endsMs = performance.now() + graceMs;
    if (endsMs < this.#graceEndsMs) {
      this.#graceEndsMs = endsMs;
      clearTimeout(this.#graceTimer);
      this.#graceTimer = setTimeout(() => {
        this.#cancelAll(linkLost(this.peer, "was closed"));
        this.#finish(undefined);
      }, graceMs);
    }
    queueMicrotask(() => this.#closeIfIdle());
    return this.closed;
  }

  abort(reason: HubError): void {
    if (this.#state === "closed") return;
    this.#state = "closing";
    this.#cancelAll(reason);
    this.#finish(reason);
  }

  #begin(call: CallId, message: PluginRequest): void {
    const { request, requestId, context } = message;
    const { httpTimeoutMs = 30_000, kvTimeoutMs = 5_000 } = this.#options;
    const options = {
      timeoutMs: context?.timeoutMs ?? 0,
      httpTimeoutMs,
      kvTimeoutMs,
      kvForm: this.#kvForm,
      onKvForm: (form: KvForm) => {
        this.#kvForm = form;
      },
    };
    const answer = (response: Response) => this.#later(call, () => this.#answer(call, requestId, response));
    const ask = (question: Question) => this.#queue.add(call, requestId, question);
    switch (request?.$case) {
      case "http": {
        const question = httpQuestion(request.value, options);
        if ("frame" in question) ask(question);
        else answer(question);
        return;
      }
      case "kv":
        this.#needStore();
        ask(kvQuestion(request.value, options));
        return;
      case "toolCall":
        this.#needStore();
        ask(kvToolQuestion(request.value.toolName, request.value.arguments, this.tools, options));
        return;
      case "listTools":
        answer({
          $case: "listTools",
          value: { tools: this.#options.kvForm === "none" ? [] : [...this.tools.definitions] },
        });
        return;
      case "listPrompts":
        answer({ $case: "listPrompts", value: { prompts: [] } });
        return;
      case "health":
        this.#settle(call, requestId, this.#health());
        return;
      case "shutdown":
        this.#settle(call, requestId, this.#shutdown((request.value.timeoutSeconds || 5) * 1_000));
        return;
      default: {
        const error = new HubError(ErrorCode.Unimplemented, `Plugin "${this.peer}" serves no such request`);
        this.#later(call, () => this.#respond(call, errorResponse(0, requestId, error)));
      }
    }
  }

  async #shutdown(graceMs: number): Promise<Response> {
    await requestShutdown(this.#options.path, graceMs);
    return { $case: "shutdown", value: { clean: true } };
  }

  async #health(): Promise<Response> {
    await this.check(AbortSignal.timeout(5_000));
    return { $case: "health", value: { status: 1, message: "its socket takes connections", details: {} } };
  }

  #needStore(): void {
    if (this.#options.kvForm !== "none") return;
    throw new HubError(ErrorCode.Unimplemented, `Plugin "${this.peer}" has no store of its own`);
  }

  #settle(call: CallId, requestId: string, response: Promise<Response>): void {
    this.#own.add(call);
    response.then(
      (value) => this.#own.delete(call) && this.#answer(call, requestId, value),
      (reason) => this.#own.delete(call) && this.#fail(call, HubError.from(reason)),
    );
  }

  #later(call: CallId, act: () => void): void {
    this.#own.add(call);
    queueMicrotask(() => {
      if (this.#own.delete(call)) act();
    });
  }

  #answer(call: CallId, requestId: string, response: Response): void {
    const bytes = PluginResponse.encode({ requestId, response, error: undefined }).finish();
    if (bytes.length <= MAX_FRAME_BYTES) this.#respond(call, bytes);
    else {
      const what = `Plugin "${this.peer}" answered with ${bytes.length} bytes, the limit is ${MAX_FRAME_BYTES}`;
      this.#fail(call, new HubError(ErrorCode.Protocol, what));
    }
  }

  #respond(call: CallId, bytes: Uint8Array): void {
    this.#handler.message(call, bytes, true);
    this.#closeIfIdle();
  }

  #fail(call: CallId, error: HubError): void {
    this.#handler.cancelled(call, error);
    this.#closeIfIdle();
  }

  #cancelAll(error: HubError): void {
    const calls = [...this.#own, ...this.#queue.clear()];
    this.#own.clear();
    for (const call of calls) this.#handler.cancelled(call, error);
  }

  #closeIfIdle(): void {
    if (this.#state === "closing" && this.inFlight === 0) this.#finish(undefined);
  }

  #finish(error: HubError | undefined): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#queue.clear();
    clearTimeout(this.#graceTimer);
    this.#handler.closed(error);
    this.#resolveClosed();
  }
}
