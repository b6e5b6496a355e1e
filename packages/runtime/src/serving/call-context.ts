import type { CallScope } from "../calling/call-scope.ts";
import type { CallContext } from "../definition.ts";
import type { HubClient } from "../hub-client.ts";
import type { ServedCall } from "./served-call.ts";

/** What one call brings with it; the hub client that works on its behalf is made when it is first asked for. */
export class ServedContext implements CallContext {
  readonly caller: string;
  readonly sessionId: string;
  readonly provider: string;
  readonly traceParent: string;
  readonly #call: ServedCall;
  readonly #makeHub: (scope: CallScope) => HubClient;
  #hub: HubClient | undefined;
  #latest: Parameters<CallContext["progress"]> | undefined;

  constructor(call: ServedCall, makeHub: (scope: CallScope) => HubClient) {
    this.#call = call;
    this.#makeHub = makeHub;
    const { context, request } = call.request;
    const said = request?.$case === "toolCall" ? request.value : undefined;
    const claimed = said?.callerPlugin ?? (request?.$case === "streamStart" ? request.value.callerPlugin : "");
    this.caller = context?.caller || claimed;
    this.traceParent = context?.traceParent || (said?.traceParent ?? "");
    this.sessionId = said?.sessionId ?? "";
    this.provider = said?.provider ?? "";
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get deadlineMs(): number {
    return this.#call.deadlineMs;
  }

  get hub(): HubClient {
    const { deadlineMs, traceParent, sessionId } = this;
    this.#hub ??= this.#makeHub({ deadlineMs, source: this.#call, traceParent, sessionId });
    return this.#hub;
  }

  /** A property, so that handlers may take it out of the context. */
  readonly progress: CallContext["progress"] = (progress, total, message) => {
    const call = this.#call;
    if (call.request.context?.wantsProgress !== true || !call.isOpen) return;
    // To a peer that is slow to read, only the latest state is of interest.
    const isWaiting = this.#latest !== undefined;
    this.#latest = [progress, total, message];
    if (isWaiting) return;
    if (call.isBlocked) void call.room().then(() => this.#sendProgress());
    else this.#sendProgress();
  };

  #sendProgress(): void {
    const [progress, total = 0, message = ""] = this.#latest!;
    this.#latest = undefined;
    this.#call.send({ $case: "progress", value: { progress, total, message: message.slice(0, 10_000) } });
  }
}
