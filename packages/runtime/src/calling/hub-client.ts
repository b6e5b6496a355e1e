import { HealthResult_Status, type PluginRequest } from "@orchestrator/protocol";
import type { Health, PluginEvent } from "../definition.ts";
import type {
  CallOptions,
  HubClient,
  PromptInfo,
  PromptResult,
  StorageClient,
  ToolCallOptions,
  ToolInfo,
} from "../hub-client.ts";
import type { JsonObject } from "../json.ts";
import type { KvClient } from "../kv-client.ts";
import { toJsonObject } from "../to-json.ts";
import type { Answer, AnswerCase } from "./ask.ts";
import { type CallScope, limitsOf } from "./call-scope.ts";
import { exchange, type HubChannel, type Question } from "./exchange.ts";
import { promptResult, toPromptInfo, toToolInfo } from "./infos.ts";
import { createKvClient } from "./kv-client.ts";
import { wrongAnswer } from "./response-errors.ts";
import { createStorageClient } from "./storage-client.ts";
import { answers, streamExchange } from "./stream-exchange.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** What all clients of one plugin share. */
export interface HubClientParts {
  readonly channel: HubChannel;
  readonly subscriptions: Subscriptions;
  /** Peers that verify nobody believe what is written in the request, so it is written there too. */
  readonly pluginId: string;
}

/** Calls into the hub, on behalf of whatever the scope says. Cheap: one is made for every call being served that asks. */
export class ScopedHubClient implements HubClient {
  readonly #parts: HubClientParts;
  readonly #scope: CallScope;

  constructor(parts: HubClientParts, scope: CallScope) {
    this.#parts = parts;
    this.#scope = scope;
  }

  async callTool(name: string, input?: JsonObject, options: ToolCallOptions = {}): Promise<JsonObject> {
    const request = {
      $case: "toolCall",
      value: {
        toolName: name,
        arguments: toJsonObject(input ?? {}, `The input of tool "${name}"`),
        callerPlugin: this.#parts.pluginId,
        traceParent: this.#scope.traceParent,
        provider: options.provider ?? "",
        sessionId: options.sessionId ?? this.#scope.sessionId,
      },
    } as const;
    const { result } = await this.#ask(request, "toolCall", options, options.onProgress);
    return result ?? {};
  }

  async *streamTool(name: string, input?: JsonObject, options: ToolCallOptions = {}): AsyncGenerator<Uint8Array> {
    const value = {
      streamId: this.#parts.channel.ids.uuid(),
      toolName: name,
      arguments: toJsonObject(input ?? {}, `The input of tool "${name}"`),
      callerPlugin: this.#parts.pluginId,
    };
    yield* streamExchange(this.#parts.channel, {
      request: { $case: "streamStart", value },
      scope: this.#scope,
      limits: limitsOf(this.#scope, options, true),
      onProgress: options.onProgress,
    });
  }

  async listTools(options?: CallOptions): Promise<readonly ToolInfo[]> {
    const { tools } = await this.#ask({ $case: "listTools", value: {} }, "listTools", options);
    return tools.map(toToolInfo);
  }

  async listPrompts(options?: CallOptions): Promise<readonly PromptInfo[]> {
    const { prompts } = await this.#ask({ $case: "listPrompts", value: {} }, "listPrompts", options);
    return prompts.map(toPromptInfo);
  }

  async getPrompt(name: string, args: Record<string, string> = {}, options?: CallOptions): Promise<PromptResult> {
    const request = { $case: "promptGet", value: { promptName: name, arguments: args } } as const;
    return promptResult(name, await this.#ask(request, "promptGet", options));
  }

  storage(type = ""): StorageClient {
    return createStorageClient(type, (request, expected, options) => this.#ask(request, expected, options));
  }

  get kv(): KvClient {
    return createKvClient(
      (request, expected, options) => this.#ask(request, expected, options),
      (request, options) => this.#watch(request, options),
    );
  }

  async publish(topic: string, type: string, payload?: JsonObject, options?: CallOptions): Promise<void> {
    const value = {
      topic,
      eventType: type,
      payload: payload && toJsonObject(payload, `The payload of event "${type}"`),
      sourcePlugin: this.#parts.pluginId,
      subscriptionId: "",
      timestamp: undefined,
    };
    await exchange(this.#parts.channel, this.#question({ $case: "publish", value }, options));
  }

  async subscribe(
    topic: string,
    listener: (event: PluginEvent) => void,
    filters: Record<string, string> = {},
  ): Promise<() => Promise<void>> {
    return await this.#parts.subscriptions.add({ topic, filters, listener }, limitsOf(this.#scope));
  }

  async health(options?: CallOptions): Promise<Health> {
    const { status, message, details } = await this.#ask({ $case: "health", value: {} }, "health", options);
    return { status: STATUS[status] ?? "unhealthy", message, details };
  }

  #ask<C extends AnswerCase>(
    request: PluginRequest["request"],
    expected: C,
    options?: CallOptions,
    onProgress?: ToolCallOptions["onProgress"],
  ): Promise<Answer<C>> {
    const question = { request, scope: this.#scope, limits: limitsOf(this.#scope, options), onProgress };
    return exchange(this.#parts.channel, question, (response) => {
      if (response.response?.$case !== expected) throw wrongAnswer(request!.$case, response);
      return response.response.value as Answer<C>;
    });
  }

  /** A watch may be silent for as long as it likes. */
  async *#watch(request: PluginRequest["request"], options?: CallOptions): AsyncGenerator<Answer<"kv">> {
    const limits = { ...limitsOf(this.#scope, options, true), idleTimeoutMs: Number.POSITIVE_INFINITY };
    for await (const response of answers(this.#parts.channel, { request, scope: this.#scope, limits })) {
      if (response.response?.$case !== "kv") throw wrongAnswer("kv watch", response);
      yield response.response.value;
    }
  }

  #question(request: PluginRequest["request"], options?: CallOptions): Question {
    return { request, scope: this.#scope, limits: limitsOf(this.#scope, options) };
  }
}

const STATUS: Readonly<Partial<Record<HealthResult_Status, Health["status"]>>> = {
  [HealthResult_Status.STATUS_HEALTHY]: "healthy",
  [HealthResult_Status.STATUS_DEGRADED]: "degraded",
};
