import {
  decodeAnswer,
  ErrorCode,
  encodeCall,
  fromWireError,
  HubError,
  LegacyCode,
  type PluginRequest,
  type PluginResponse,
} from "@orchestrator/protocol";
import type { LinkPeer, MinimalAbortSignal } from "@orchestrator/transport";

type Request = NonNullable<PluginRequest["request"]>;
export type Response = NonNullable<PluginResponse["response"]>;
type Answer<C extends Response["$case"]> = Extract<Response, { $case: C }>["value"];

/** One question to the hub. */
export interface Question {
  readonly requestId: string;
  readonly request: Request;
  /** How long the hub may take. */
  readonly timeoutMs: number;
  readonly signal?: MinimalAbortSignal | undefined;
  /** Hears of messages before the last one, where they are wanted. */
  readonly onProgress?: ((progress: number, total: number, message: string) => void) | undefined;
}

/**
 * The hub keeps the deadline and says so by an answer. Should it be too busy for that, we stop waiting this much later.
 */
const GRACE_MS = 5_000;

/**
 * Asks, and resolves with the answer, whatever it says.
 * @throws {HubError} `UNAVAILABLE` when the link breaks, `DEADLINE_EXCEEDED`, `CANCELLED`, `PROTOCOL`
 */
export async function ask(peer: LinkPeer, question: Question): Promise<PluginResponse> {
  const { signal, onProgress, timeoutMs } = question;
  const onMessage = onProgress === undefined ? undefined : (payload: Uint8Array) => report(payload, onProgress);
  try {
    const limits = { signal, timeoutMs: timeoutMs + GRACE_MS };
    return decodeAnswer(await peer.call(encodeQuestion(question), { ...limits, onMessage }));
  } catch (reason) {
    // The gateway's own way of saying that the client gave up is of no interest to anybody.
    if (signal?.aborted === true) throw new HubError(ErrorCode.Cancelled, "The client cancelled the request");
    throw reason;
  }
}

/**
 * Asks for one kind of answer.
 * @throws {HubError} what the hub reported, in whichever shape, or `PROTOCOL` for an answer to something else
 */
export async function askFor<C extends Response["$case"]>(
  peer: LinkPeer,
  question: Question,
  expected: C,
): Promise<Answer<C>> {
  const response = await ask(peer, question);
  const failure = failureOf(response);
  if (failure !== undefined) throw failure;
  if (response.response?.$case !== expected) throw wrongAnswer(question.request.$case, response);
  return response.response.value as unknown as Answer<C>;
}

/** Aborts when the client gives up or the grace is over. `done` must be called. */
export function watchLimits({ signal, timeoutMs }: Question): { readonly signal: AbortSignal; done(): void } {
  const controller = new AbortController();
  const late = () =>
    controller.abort(new HubError(ErrorCode.DeadlineExceeded, `No answer came within ${timeoutMs} ms`));
  const abort = () => controller.abort(signal?.reason);
  const timer = setTimeout(late, timeoutMs + GRACE_MS);
  signal?.addEventListener("abort", abort);
  if (signal?.aborted === true) abort();
  return {
    signal: controller.signal,
    done: () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    },
  };
}

/** @throws {HubError} `INVALID_ARGUMENT` for values that cannot travel */
export function encodeQuestion({ requestId, request, timeoutMs, onProgress }: Question): Uint8Array {
  const wantsProgress = onProgress !== undefined;
  const context = { timeoutMs, traceParent: "", caller: "", acceptsCalls: true, wantsProgress };
  try {
    return encodeCall({ requestId, request, context });
  } catch (reason) {
    throw HubError.from(reason, ErrorCode.InvalidArgument);
  }
}

export function wrongAnswer(asked: string, { response }: PluginResponse): HubError {
  const got = response?.$case ?? "an empty acknowledgement";
  return new HubError(ErrorCode.Protocol, `Asked the hub for "${asked}" and was answered with ${got}`);
}

function failureOf({ response, error }: PluginResponse): HubError | undefined {
  if (error !== undefined) return fromWireError(error);
  // Hosts that do not know the error field borrow the answer to a tool call.
  if (response?.$case !== "toolCall" || response.value.success) return undefined;
  const { errorCode, errorMessage } = response.value;
  const code = errorCode === LegacyCode.UnknownRequest ? ErrorCode.Unimplemented : ErrorCode.Internal;
  return new HubError(code, errorMessage === "" ? `The hub refused: ${errorCode}` : errorMessage);
}

function report(payload: Uint8Array, onProgress: NonNullable<Question["onProgress"]>): void {
  const { response } = decodeAnswer(payload);
  if (response?.$case !== "progress") return;
  const { progress, total, message } = response.value;
  onProgress(progress, total, message);
}
