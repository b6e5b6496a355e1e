import { type HubError, PluginRequest, PluginResponse } from "@orchestrator/protocol";
import type { AcceptLink, CallId, Link, LinkHandler } from "@orchestrator/transport";

export type Request = PluginRequest["request"];

/** One call as the wire shows it. */
export interface RawCall {
  readonly id: CallId;
  /** Messages so far. */
  readonly messages: PluginResponse[];
  /** Resolves with the last message; rejects when the call is cancelled. */
  readonly last: Promise<PluginResponse>;
  /** Resolves once `count` messages are here. */
  received(count: number): Promise<void>;
}

export interface OpenOptions {
  readonly requestId?: string;
  readonly context?: Partial<NonNullable<PluginRequest["context"]>>;
  readonly last?: boolean;
}

export interface RawPeerOptions {
  /** Answers the plugin's requests; where it returns undefined they are acknowledged. "silence" leaves them unanswered. */
  readonly answer?: (request: PluginRequest) => Partial<PluginResponse> | "silence" | undefined;
  /** Answers with several messages, the last of them last; `undefined` at the end leaves the answer open. */
  readonly replies?: (request: PluginRequest) => PluginResponse["response"][] | undefined;
  /** Does not read on, so that windows fill up, until `read` is called. */
  readonly stall?: boolean;
}

/** The other side of a plugin's link: sends whatever a test wants and shows what comes back, undigested. */
export class RawPeer {
  link!: Link;
  /** Requests that the plugin sent, in order. */
  readonly asked: PluginRequest[] = [];
  /** Calls of the plugin that it gave up. */
  cancelled = 0;
  readonly #options: RawPeerOptions;
  readonly #calls = new Map<CallId, Entry>();
  readonly #watchers = new Set<() => void>();
  #owed: (() => void)[] | undefined;

  constructor(options: RawPeerOptions = {}) {
    this.#options = options;
    if (options.stall) this.#owed = [];
  }

  /** Takes a link; a later one replaces it, as after a reconnect. */
  readonly accept: AcceptLink = (link): LinkHandler => {
    this.link = link;
    return {
      request: (id, payload) => {
        const request = PluginRequest.decode(payload);
        this.asked.push(request);
        for (const check of this.#watchers) check();
        const replies = this.#options.replies?.(request);
        replies?.forEach((response, index) => {
          const isLast = index === replies.length - 1;
          if (isLast && response === undefined) return;
          const message = { requestId: request.requestId, response, error: undefined };
          link.send(id, PluginResponse.encode(message).finish(), isLast);
        });
        const answer = this.#options.answer?.(request);
        if (answer === "silence") return;
        const response = { requestId: request.requestId, response: undefined, error: undefined, ...answer };
        link.send(id, PluginResponse.encode(response).finish(), true);
      },
      message: (id, payload, last) => {
        const call = this.#calls.get(id);
        if (call === undefined) return;
        const credit = () => link.credit(id, payload.byteLength);
        if (!last && this.#owed !== undefined) this.#owed.push(credit);
        else if (!last) credit();
        call.put(PluginResponse.decode(payload), last);
      },
      cancelled: (id, error) => {
        const call = this.#calls.get(id);
        if (call !== undefined) return call.fail(error);
        this.cancelled++;
        for (const check of this.#watchers) check();
      },
      drained: () => {},
      closed: () => {},
    };
  };

  /** Waits until the plugin has given up a call. */
  async cancellation(): Promise<void> {
    while (this.cancelled === 0) await this.#change();
  }

  openBytes(payload: Uint8Array, last = true): RawCall {
    const id = this.link.open(payload, last);
    const entry = new Entry(id);
    this.#calls.set(id, entry);
    return entry;
  }

  open(request: Request, { requestId = "r", context, last = true }: OpenOptions = {}): RawCall {
    const full = { timeoutMs: 0, traceParent: "", caller: "", acceptsCalls: false, wantsProgress: false, ...context };
    const message = { requestId, request, context: context === undefined ? undefined : full };
    return this.openBytes(PluginRequest.encode(message).finish(), last);
  }

  /** Opens and waits for the last message. */
  ask(request: Request, options?: OpenOptions): Promise<PluginResponse> {
    return this.open(request, options).last;
  }

  /** One more message on a call. */
  send(call: RawCall, request: Request): void {
    this.link.send(call.id, PluginRequest.encode({ requestId: "", request, context: undefined }).finish(), true);
  }

  /** Reads on after `stall`. */
  read(): void {
    for (const credit of this.#owed ?? []) credit();
    this.#owed = undefined;
  }

  /** The first request of a kind that the plugin sent, from the `from`th on; waits for it. */
  async request(kind: NonNullable<Request>["$case"], from = 0): Promise<PluginRequest> {
    for (;;) {
      const found = this.asked.slice(from).find(({ request }) => request?.$case === kind);
      if (found !== undefined) return found;
      await this.#change();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        this.#watchers.delete(check);
        resolve();
      };
      this.#watchers.add(check);
    });
  }
}

class Entry implements RawCall {
  readonly id: CallId;
  readonly messages: PluginResponse[] = [];
  readonly #last = Promise.withResolvers<PluginResponse>();
  readonly #waiting: { count: number; resolve: () => void }[] = [];

  constructor(id: CallId) {
    this.id = id;
    this.#last.promise.catch(() => {});
  }

  get last(): Promise<PluginResponse> {
    return this.#last.promise;
  }

  put(response: PluginResponse, last: boolean): void {
    this.messages.push(response);
    for (const { count, resolve } of this.#waiting) if (this.messages.length >= count) resolve();
    if (last) this.#last.resolve(response);
  }

  fail(error: HubError): void {
    this.#last.reject(error);
  }

  received(count: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.messages.length >= count) resolve();
      else this.#waiting.push({ count, resolve });
    });
  }
}

/** The tool_call request that most tests need. */
export function toolCall(toolName: string, args?: Record<string, unknown>, extra: object = {}): NonNullable<Request> {
  const value = { toolName, arguments: args, callerPlugin: "", traceParent: "", provider: "", sessionId: "", ...extra };
  return { $case: "toolCall", value };
}

export function streamStart(toolName: string, streamId = "s", args?: Record<string, unknown>): NonNullable<Request> {
  return { $case: "streamStart", value: { streamId, toolName, arguments: args, callerPlugin: "" } };
}
