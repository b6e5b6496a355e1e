import { ErrorCode, HubError, PluginRequest, PluginResponse, uuidv7 } from "@orchestrator/protocol";
import type { CallId } from "@orchestrator/transport";
import type { DeadlineWheel, Timed } from "./deadline-wheel.ts";
import type { Port, PortCall } from "./port.ts";

type Request = PluginRequest["request"];
type Response = NonNullable<PluginResponse["response"]>;

/** What the hub wants of an answer. */
interface Wanted {
  /** For messages: what was asked. */
  readonly name: string;
  /** Member of the answer, or "acknowledgement" for none. */
  readonly expected: string;
  readonly timeoutMs: number;
  /** A longer answer is refused before it is decoded: that takes many times its size. */
  readonly maxBytes: number;
}

/** A call of the hub itself to a peer. Resolves with the answer; every way it can go wrong rejects with a HubError. */
export function callPeer<Case extends Response["$case"]>(
  port: Port,
  wheel: DeadlineWheel,
  request: NonNullable<Request>,
  expected: Case | "acknowledgement",
  timeoutMs: number,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<PluginResponse> {
  const encode = (requestId: string) =>
    PluginRequest.encode({
      requestId,
      request,
      context: { timeoutMs, traceParent: "", caller: "orchestrator", acceptsCalls: true, wantsProgress: false },
    }).finish();
  return sendToPeer(port, wheel, encode, { name: request.$case, expected, timeoutMs, maxBytes });
}

/** As `callPeer`, for a request that is encoded already. @param encode puts the id of this call into it */
export function sendToPeer(
  port: Port,
  wheel: DeadlineWheel,
  encode: (requestId: string) => Uint8Array,
  wanted: Wanted,
): Promise<PluginResponse> {
  return new Promise((resolve, reject) => {
    new LocalCall(port, wheel, wanted, resolve, reject).begin(encode(uuidv7()));
  });
}

class LocalCall implements PortCall, Timed {
  wheelPrevious: Timed | undefined = undefined;
  wheelNext: Timed | undefined = undefined;
  wheelTick = -1;
  readonly #port: Port;
  readonly #wheel: DeadlineWheel;
  readonly #wanted: Wanted;
  readonly #resolve: (response: PluginResponse) => void;
  readonly #reject: (error: HubError) => void;
  #call: CallId = -1;

  constructor(
    port: Port,
    wheel: DeadlineWheel,
    wanted: Wanted,
    resolve: (response: PluginResponse) => void,
    reject: (error: HubError) => void,
  ) {
    this.#port = port;
    this.#wheel = wheel;
    this.#wanted = wanted;
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
    this.#wheel.add(this, this.#wanted.timeoutMs);
  }

  message(port: Port, call: CallId, payload: Uint8Array, last: boolean): void {
    const { name, expected, maxBytes } = this.#wanted;
    this.#end();
    // One message is the answer; a peer that has more to say is not listened to.
    if (!last) port.link.cancel(call);
    if (payload.length > maxBytes) {
      const what = `Answer to ${name} is ${payload.length} bytes, the limit is ${maxBytes}`;
      this.#reject(new HubError(ErrorCode.FrameTooLarge, what));
      return;
    }
    let response: PluginResponse;
    try {
      response = PluginResponse.decode(payload);
    } catch (reason) {
      this.#reject(new HubError(ErrorCode.Protocol, `Answer to ${name} does not decode`, { cause: reason }));
      return;
    }
    const found = response.response?.$case ?? "acknowledgement";
    if (found === expected) this.#resolve(response);
    else this.#reject(unexpected(name, expected, response));
  }

  cancelled(_port: Port, _call: CallId, error: HubError): void {
    this.#wheel.remove(this);
    this.#reject(error);
  }

  drained(): void {}

  expired(): void {
    const { name, timeoutMs } = this.#wanted;
    this.#port.link.cancel(this.#call);
    this.#port.forget(this.#call);
    this.#reject(new HubError(ErrorCode.DeadlineExceeded, `No answer to ${name} within ${timeoutMs} ms`));
  }

  #end(): void {
    this.#wheel.remove(this);
    this.#port.forget(this.#call);
  }
}

/** A peer's own words in an error of the hub are no longer than this. */
const MAX_WORDS = 1_024;

function unexpected(name: string, expected: string, response: PluginResponse): HubError {
  const found = response.response;
  if (found?.$case === "toolCall" && !found.value.success) {
    const { errorCode, errorMessage } = found.value;
    const words = `"${errorCode.slice(0, MAX_WORDS)}": ${errorMessage.slice(0, MAX_WORDS)}`;
    return new HubError(ErrorCode.Protocol, `${name} was answered with the error ${words}`);
  }
  return new HubError(
    ErrorCode.Protocol,
    `${name} was answered with ${found?.$case ?? "nothing"} instead of ${expected}`,
  );
}
