import {
  decodeAnswer,
  ErrorCode,
  encodeCall,
  HubError,
  type IdSource,
  type PluginRequest,
  type PluginResponse,
} from "@orchestrator/protocol";
import type { CallId, Deadlines } from "@orchestrator/transport";
import { assertWithinLimits, type CallScope, type Limits, LimitWatch } from "./call-scope.ts";
import type { OutgoingCalls, ReplyListener } from "./outgoing-calls.ts";
import { failureOf } from "./response-errors.ts";

/** Where calls go: a link that is there, or one that is dialled again when it breaks. */
export interface HubChannel {
  /** Names requests, streams and subscriptions. */
  readonly ids: IdSource;
  readonly deadlines: Deadlines;
  /** Makes room for one question. */
  readonly allocate: (bytes: number) => Uint8Array;
  /** The calls of the link in use, or undefined while there is none. */
  readonly current: OutgoingCalls | undefined;
  /** Waits for a link, within the limits. @throws {HubError} `UNAVAILABLE` where none will come, or the passed limit */
  ready(limits: Limits): Promise<OutgoingCalls>;
}

/** One question, before it is on its way. */
export interface Question {
  readonly request: PluginRequest["request"];
  readonly scope: CallScope;
  readonly limits: Limits;
  readonly onProgress?: ((progress: number, total: number, message: string) => void) | undefined;
  /** This side also serves requests on the link that the question goes over. */
  readonly acceptsCalls?: boolean;
}

/**
 * Asks, and resolves with what `read` makes of a good answer.
 * @throws {HubError} what the peer said, `UNAVAILABLE` when the link breaks, `DEADLINE_EXCEEDED`, `CANCELLED`, `PROTOCOL`
 */
export function exchange<T = PluginResponse>(
  channel: HubChannel,
  question: Question,
  read: (response: PluginResponse) => T = (response) => response as T,
): Promise<T> {
  return exchangeRaw(channel, question, (response) => {
    const failure = failureOf(response);
    if (failure !== undefined) throw failure;
    return read(response);
  });
}

/** As `exchange`, with answers of every kind, be they failures. @throws {HubError} where there is none */
export function exchangeRaw<T>(
  channel: HubChannel,
  question: Question,
  read: (response: PluginResponse) => T,
): Promise<T> {
  // One promise for the whole way: what is asked most is answered within microseconds, and each promise more is a part of that.
  return new Promise((resolve, reject) => {
    assertWithinLimits(question.limits);
    const settle = (result: PluginResponse | HubError) => {
      if (result instanceof HubError) return reject(result);
      try {
        resolve(read(result));
      } catch (error) {
        reject(error);
      }
    };
    const { current } = channel;
    if (current !== undefined) new Exchange(current, channel, question, settle).start();
    else {
      channel.ready(question.limits).then((calls) => new Exchange(calls, channel, question, settle).start(), reject);
    }
  });
}

/** One question on its way, until `settle` hears of its end. */
class Exchange implements ReplyListener {
  readonly #calls: OutgoingCalls;
  readonly #channel: HubChannel;
  readonly #question: Question;
  readonly #settle: (result: PluginResponse | HubError) => void;
  readonly #watch: LimitWatch;
  #id: CallId = -1;

  constructor(
    calls: OutgoingCalls,
    channel: HubChannel,
    question: Question,
    settle: (result: PluginResponse | HubError) => void,
  ) {
    this.#calls = calls;
    this.#channel = channel;
    this.#question = question;
    this.#settle = settle;
    this.#watch = new LimitWatch(question.limits, channel.deadlines, this.#stop);
  }

  start(): void {
    try {
      this.#id = this.#calls.start(encodeQuestion(this.#question, this.#channel), this);
    } catch (error) {
      this.failed(HubError.from(error));
    }
  }

  failed(error: HubError): void {
    this.#watch.end();
    this.#settle(error);
  }

  message(bytes: Uint8Array, last: boolean): void {
    const response = decodeResponse(bytes);
    if (!last && isProgress(response)) {
      this.#calls.link.credit(this.#id, bytes.byteLength);
      // The listener is the caller's own code, and a carrier must not see it throw.
      const thrown = reportProgress(response, this.#question);
      if (thrown !== undefined) this.#watch.stop(thrown);
      return;
    }
    // Some peers end their side of the call only after the answer; nothing more is wanted of them.
    if (!last) this.#calls.cancel(this.#id);
    this.#watch.end();
    this.#settle(response);
  }

  readonly #stop = (reason: HubError): void => {
    this.#calls.cancel(this.#id);
    this.#settle(reason);
  };
}

/** The link's calls once they can be used. */
export async function usableCalls(channel: HubChannel, limits: Limits): Promise<OutgoingCalls> {
  assertWithinLimits(limits);
  return channel.current ?? (await channel.ready(limits));
}
/** @throws {HubError} `INVALID_ARGUMENT` for values that cannot travel */
export function encodeQuestion(question: Question, { ids, allocate }: HubChannel): Uint8Array {
  const { request, scope, limits, onProgress, acceptsCalls = false } = question;
  const leftMs = limits.deadlineMs - Date.now();
  const context = {
    // 0 would mean that there is no deadline, and a fraction cannot be encoded.
    timeoutMs: Number.isFinite(leftMs) ? Math.min(Math.max(Math.floor(leftMs), 1), 0xffff_ffff) : 0,
    traceParent: scope.traceParent,
    caller: "",
    acceptsCalls,
    wantsProgress: onProgress !== undefined,
  };
  try {
    return encodeCall({ requestId: ids.uuid(), request, context }, { allocate });
  } catch (error) {
    throw HubError.from(error, ErrorCode.InvalidArgument);
  }
}

/** @returns a `PROTOCOL` error for bytes that are no response */
export function decodeResponse(bytes: Uint8Array): PluginResponse | HubError {
  try {
    return decodeAnswer(bytes);
  } catch (error) {
    return new HubError(ErrorCode.Protocol, `The answer does not decode: ${HubError.from(error).message}`);
  }
}

/** A message that says how far the work is. */
export type ProgressResponse = PluginResponse & { response: { $case: "progress" } };

export function isProgress(response: PluginResponse | HubError): response is ProgressResponse {
  return !(response instanceof HubError) && response.response?.$case === "progress";
}

/** Tells the caller how far the work is. @returns what its listener threw, if it did */
export function reportProgress({ response }: ProgressResponse, question: Question): HubError | undefined {
  const { progress, total, message } = response.value;
  try {
    question.onProgress?.(progress, total, message);
    return undefined;
  } catch (error) {
    return HubError.from(error);
  }
}
