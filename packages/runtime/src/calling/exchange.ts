import { ErrorCode, HubError, type IdSource, PluginRequest, PluginResponse } from "@orchestrator/protocol";
import type { CallId } from "@orchestrator/transport";
import { assertWithinLimits, type CallScope, type Limits, watchLimits } from "./call-scope.ts";
import type { OutgoingCalls } from "./outgoing-calls.ts";
import { failureOf } from "./response-errors.ts";

/** Where calls go: a link that is there, or one that is dialled again when it breaks. */
export interface HubChannel {
  /** Names requests, streams and subscriptions. */
  readonly ids: IdSource;
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
 * Asks, and resolves with a good answer.
 * @throws {HubError} what the peer said, `UNAVAILABLE` when the link breaks, `DEADLINE_EXCEEDED`, `CANCELLED`, `PROTOCOL`
 */
export async function exchange(channel: HubChannel, question: Question): Promise<PluginResponse> {
  const response = await exchangeRaw(channel, question);
  const failure = failureOf(response);
  if (failure !== undefined) throw failure;
  return response;
}

/** Asks, and resolves with the answer, be it a failure. @throws {HubError} where there is none */
export async function exchangeRaw(channel: HubChannel, question: Question): Promise<PluginResponse> {
  const calls = await usableCalls(channel, question.limits);
  const payload = encodeQuestion(question, channel.ids);
  return await new Promise((resolve, reject) => {
    let id: CallId;
    const unwatch = watchLimits(question.limits, (reason) => {
      calls.cancel(id);
      reject(reason);
    });
    const settle = (result: PluginResponse | HubError) => {
      unwatch();
      if (result instanceof HubError) reject(result);
      else resolve(result);
    };
    try {
      id = calls.start(payload, {
        failed: settle,
        message(bytes, last) {
          const response = decodeResponse(bytes);
          if (!last && isProgress(response)) {
            calls.link.credit(id, bytes.byteLength);
            // The listener is the caller's own code, and a carrier must not see it throw.
            const thrown = reportProgress(response, question);
            if (thrown === undefined) return;
            calls.cancel(id);
            return settle(thrown);
          }
          // Some peers end their side of the call only after the answer; nothing more is wanted of them.
          if (!last) calls.cancel(id);
          settle(response);
        },
      });
    } catch (error) {
      settle(HubError.from(error));
    }
  });
}

/** The link's calls once they can be used. */
export async function usableCalls(channel: HubChannel, limits: Limits): Promise<OutgoingCalls> {
  assertWithinLimits(limits);
  return channel.current ?? (await channel.ready(limits));
}

/** @throws {HubError} `INVALID_ARGUMENT` for values that cannot travel */
export function encodeQuestion(question: Question, ids: IdSource): Uint8Array {
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
    return PluginRequest.encode({ requestId: ids.uuid(), request, context }).finish();
  } catch (error) {
    throw HubError.from(error, ErrorCode.InvalidArgument);
  }
}

/** @returns a `PROTOCOL` error for bytes that are no response */
export function decodeResponse(bytes: Uint8Array): PluginResponse | HubError {
  try {
    return PluginResponse.decode(bytes);
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
