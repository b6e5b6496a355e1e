import {
  type AllocateOptions,
  createSlabAllocator,
  decodeToolCall,
  ErrorCode,
  errorResponse,
  HubError,
  LegacyCode,
  PluginRequest,
  peekRequest,
  RequestKind,
} from "@orchestrator/protocol";
import type { CallId, Link, LinkHandler } from "@orchestrator/transport";
import { answer } from "./answer.ts";
import type { RequestCase } from "./request-kind.ts";
import { ServedCall } from "./served-call.ts";
import type { Serving } from "./serving.ts";
import { cancelStream } from "./stream-start.ts";

/** What a stopping plugin still answers: everything that lets its host stop it well. */
const ANSWERED_WHILE_STOPPING: ReadonlySet<RequestCase | undefined> = new Set<RequestCase>([
  "register",
  "health",
  "shutdown",
  "listTools",
  "listPrompts",
  "streamCancel",
  "unsubscribe",
]);

/**
 * Serves one plugin over any number of links of any carrier. Requests run side by side; nothing here limits how many, since
 * each link does.
 */
export class PluginServer {
  readonly #serving: Serving;
  readonly #calls = new Set<ServedCall>();
  /** Answers leave at once, so that cutting them from a common piece of memory holds on to nothing. */
  readonly #room: AllocateOptions = { allocate: createSlabAllocator() };
  #isStopping = false;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(serving: Omit<Serving, "cancelStream">) {
    this.#serving = { ...serving, cancelStream: (streamId) => this.#cancelStream(streamId) };
  }

  /** Makes the handler of a link whose peer may ask. With `refusal`, every request of that peer is answered with it. */
  readonly accept = (link: Link, refusal?: HubError): LinkHandler => {
    const calls = new Map<CallId, ServedCall>();
    return {
      request: (id, payload, last) => {
        if (!last) link.credit(id, payload.byteLength);
        const request = decode(link, id, payload);
        if (request === undefined) return;
        const ended = () => {
          calls.delete(id);
          this.#ended(call);
        };
        const call: ServedCall = new ServedCall(link, id, request, ended, this.#room);
        calls.set(id, call);
        this.#start(call, refusal);
      },
      message: (id, payload, last) => {
        if (!last) link.credit(id, payload.byteLength);
        const call = calls.get(id);
        // The only thing that a caller has to add to a request is that it wants no more of it.
        if (call === undefined || !isCancel(payload)) return;
        cancelStream(call);
      },
      cancelled: (id, error) => calls.get(id)?.giveUp(error),
      drained: (id) => calls.get(id)?.drained(),
      closed: () => {},
    };
  };

  /** Calls that wait for their answer, apart from a shutdown. */
  get callsInFlight(): number {
    let count = 0;
    for (const call of this.#calls) if (call.request.request?.$case !== "shutdown") count++;
    return count;
  }

  /** Resolves once no call is in flight. */
  async idle(): Promise<void> {
    while (this.callsInFlight > 0) {
      this.#idle ??= Promise.withResolvers();
      await this.#idle.promise;
    }
  }

  /** From now on new work is refused with `UNAVAILABLE`. */
  refuseWork(): void {
    this.#isStopping = true;
  }

  /** Tells the handlers of all calls in flight to stop; their answers still count. */
  abortCalls(reason: HubError): void {
    for (const call of this.#calls) if (call.request.request?.$case !== "shutdown") call.abort(reason);
  }

  /** Answers all calls in flight with a failure, at once. */
  failCalls(error: HubError): void {
    for (const call of this.#calls) call.fail(error, LegacyCode.HandlerError);
  }

  #start(call: ServedCall, refusal: HubError | undefined): void {
    this.#calls.add(call);
    if (refusal !== undefined) call.fail(refusal);
    else if (this.#isStopping && !ANSWERED_WHILE_STOPPING.has(call.request.request?.$case)) {
      call.fail(new HubError(ErrorCode.Unavailable, `Plugin "${this.#serving.plugin.manifest.id}" is stopping`));
    } else answer(call, this.#serving);
  }

  #ended(call: ServedCall): void {
    this.#calls.delete(call);
    if (this.#idle === undefined || this.callsInFlight > 0) return;
    this.#idle.resolve();
    this.#idle = undefined;
  }

  #cancelStream(streamId: string): void {
    for (const call of this.#calls) {
      if (call.request.request?.$case === "streamStart" && call.streamId === streamId) cancelStream(call);
    }
  }
}

/** @returns undefined for bytes that are not a request, which are answered as such: silence would leave the caller waiting */
function decode(link: Link, id: CallId, payload: Uint8Array): PluginRequest | undefined {
  try {
    const peek = peekRequest(payload);
    return peek.kind === RequestKind.ToolCall ? decodeToolCall(payload, peek) : PluginRequest.decode(payload);
  } catch (error) {
    const failure = new HubError(ErrorCode.Protocol, `The request does not decode: ${HubError.from(error).message}`);
    link.send(id, errorResponse(RequestKind.None, "", failure, { legacyCode: LegacyCode.UnknownRequest }), true);
    return undefined;
  }
}

function isCancel(payload: Uint8Array): boolean {
  try {
    return PluginRequest.decode(payload).request?.$case === "streamCancel";
  } catch {
    return false;
  }
}
