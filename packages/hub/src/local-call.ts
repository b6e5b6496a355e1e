import { ErrorCode, HubError, PluginRequest, PluginResponse, uuidv7 } from "@orchestrator/protocol";
import type { CallId } from "@orchestrator/transport";
import type { DeadlineWheel, Timed } from "./deadline-wheel.ts";
import type { Port, PortCall } from "./port.ts";

type Request = PluginRequest["request"];
type Response = NonNullable<PluginResponse["response"]>;

/** A call of the hub itself to a peer. Resolves with the answer; every way it can go wrong rejects with a HubError. */
export function callPeer<Case extends Response["$case"]>(
  port: Port,
  wheel: DeadlineWheel,
  request: NonNullable<Request>,
  expected: Case | "acknowledgement",
  timeoutMs: number,
): Promise<PluginResponse> {
  return new Promise((resolve, reject) => {
    const requestId = uuidv7();
    const call = new LocalCall(port, wheel, request.$case, expected, timeoutMs, resolve, reject);
    const payload = PluginRequest.encode({
      requestId,
      request,
      context: { timeoutMs, traceParent: "", caller: "orchestrator", acceptsCalls: true, wantsProgress: false },
    }).finish();
    call.begin(payload);
  });
}

class LocalCall implements PortCall, Timed {
  wheelPrevious: Timed | undefined = undefined;
  wheelNext: Timed | undefined = undefined;
  wheelTick = -1;
  readonly #port: Port;
  readonly #wheel: DeadlineWheel;
  readonly #name: string;
  readonly #expected: string;
  readonly #timeoutMs: number;
  readonly #resolve: (response: PluginResponse) => void;
  readonly #reject: (error: HubError) => void;
  #call: CallId = -1;

  constructor(
    port: Port,
    wheel: DeadlineWheel,
    name: string,
    expected: string,
    timeoutMs: number,
    resolve: (response: PluginResponse) => void,
    reject: (error: HubError) => void,
  ) {
    this.#port = port;
    this.#wheel = wheel;
    this.#name = name;
    this.#expected = expected;
    this.#timeoutMs = timeoutMs;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(payload: Uint8Array): void {
    try {
      this.#call = this.#port.link.open(payload, true);
    } catch (reason) {
      this.#reject(HubError.from(reason));
      return;
    }
    this.#port.attach(this.#call, this);
    this.#wheel.add(this, this.#timeoutMs);
  }

  message(_port: Port, _call: CallId, payload: Uint8Array, _last: boolean): void {
    this.#end();
    let response: PluginResponse;
    try {
      response = PluginResponse.decode(payload);
    } catch (reason) {
      this.#reject(new HubError(ErrorCode.Protocol, `Answer to ${this.#name} does not decode`, { cause: reason }));
      return;
    }
    const found = response.response?.$case ?? "acknowledgement";
    if (found === this.#expected) this.#resolve(response);
    else this.#reject(unexpected(this.#name, this.#expected, response));
  }

  cancelled(_port: Port, _call: CallId, error: HubError): void {
    this.#wheel.remove(this);
    this.#reject(error);
  }

  drained(): void {}

  expired(): void {
    this.#port.link.cancel(this.#call);
    this.#port.forget(this.#call);
    this.#reject(new HubError(ErrorCode.DeadlineExceeded, `No answer to ${this.#name} within ${this.#timeoutMs} ms`));
  }

  #end(): void {
    this.#wheel.remove(this);
    this.#port.forget(this.#call);
  }
}

function unexpected(name: string, expected: string, response: PluginResponse): HubError {
  const found = response.response;
  if (found?.$case === "toolCall" && !found.value.success) {
    const { errorCode, errorMessage } = found.value;
    return new HubError(ErrorCode.Protocol, `${name} was answered with the error "${errorCode}": ${errorMessage}`);
  }
  return new HubError(
    ErrorCode.Protocol,
    `${name} was answered with ${found?.$case ?? "nothing"} instead of ${expected}`,
  );
}
