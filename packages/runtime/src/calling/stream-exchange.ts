import { ErrorCode, HubError, type PluginResponse } from "@orchestrator/protocol";
import type { Deadlines } from "@orchestrator/transport";
import { type Limits, LimitWatch } from "./call-scope.ts";
import {
  decodeResponse,
  encodeQuestion,
  type HubChannel,
  isProgress,
  type Question,
  reportProgress,
  usableCalls,
} from "./exchange.ts";
import { failureOf, wrongAnswer } from "./response-errors.ts";

/**
 * Asks for a stream and yields the bytes of its chunks in order. The sender is held back while nobody takes them; leaving the
 * loop cancels the call.
 * @throws {HubError} as `exchange` does; chunks that came before the failure are yielded first
 */
export async function* streamExchange(
  channel: HubChannel,
  question: Question,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const response of answers(channel, question)) {
    if (response.response?.$case === "streamEnd") return;
    if (response.response?.$case !== "streamChunk") throw wrongAnswer("stream_start", response);
    yield response.response.value.data;
  }
}

/**
 * Asks, and yields every answer until there is a failure or the loop is left, which cancels the call. Progress is reported, not
 * yielded. The sender is held back while nobody takes what it sends.
 * @throws {HubError} as `exchange` does; what came before the failure is yielded first
 */
export async function* answers(
  channel: HubChannel,
  question: Question,
): AsyncGenerator<PluginResponse, void, undefined> {
  const calls = await usableCalls(channel, question.limits);
  const inbox = new Inbox(channel.deadlines);
  const id = calls.start(encodeQuestion(question, channel), {
    message: (payload, last) => inbox.put({ payload, last }),
    failed: (error) => inbox.end(error),
  });
  const watch = new LimitWatch(question.limits, channel.deadlines, (reason) => {
    calls.cancel(id);
    inbox.end(reason);
  });
  try {
    for (;;) {
      const { payload, last } = await inbox.take(question.limits);
      const response = decodeResponse(payload);
      if (response instanceof HubError) throw response;
      const failure = isProgress(response) ? reportProgress(response, question) : failureOf(response);
      if (failure !== undefined) throw failure;
      if (!isProgress(response)) yield response;
      if (last) throw new HubError(ErrorCode.Protocol, "The stream stopped without saying that it was over");
      calls.link.credit(id, payload.byteLength);
    }
  } finally {
    watch.end();
    calls.cancel(id);
  }
}

interface Message {
  readonly payload: Uint8Array;
  readonly last: boolean;
}

/** Messages between the link, which calls, and the loop, which waits. */
class Inbox {
  readonly #deadlines: Deadlines;
  readonly #messages: Message[] = [];
  #end: HubError | undefined;
  #arrived: PromiseWithResolvers<void> | undefined;

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  put(message: Message): void {
    this.#messages.push(message);
    this.#arrived?.resolve();
  }

  /** What has arrived is still handed out before the error. */
  end(error: HubError): void {
    this.#end ??= error;
    this.#arrived?.resolve();
  }

  async take(limits: Limits): Promise<Message> {
    while (this.#messages.length === 0) {
      if (this.#end !== undefined) throw this.#end;
      this.#arrived = Promise.withResolvers();
      const watch = limits.deadlineMs === Number.POSITIVE_INFINITY ? this.#watchIdle(limits) : undefined;
      await this.#arrived.promise;
      watch?.end();
    }
    return this.#messages.shift()!;
  }

  #watchIdle({ idleTimeoutMs }: Limits): LimitWatch {
    const idle = { deadlineMs: Date.now() + idleTimeoutMs, source: undefined, signal: undefined, idleTimeoutMs };
    return new LimitWatch(idle, this.#deadlines, (reason) => this.end(reason));
  }
}
