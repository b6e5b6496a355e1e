import type { HubError } from "@orchestrator/protocol";
import { PluginRequest, PluginResponse } from "@orchestrator/protocol";
import type { CallId, LinkHandler } from "@orchestrator/transport";
import { UnixJsonLink, type UnixJsonLinkOptions } from "../src/index.ts";

type Member = NonNullable<PluginRequest["request"]>;
export type Outcome = { readonly response: PluginResponse } | { readonly error: HubError };

/** The hub's side of a link: every call becomes a promise that tells how it ended. */
export class Driver implements Disposable {
  readonly link: UnixJsonLink;
  readonly remarks: string[] = [];
  /** Calls that ended more than once: never any. */
  doubled = 0;
  /** Told of each end, from within it. */
  onEnd = () => {};
  closed: { readonly error: HubError | undefined } | undefined;
  readonly #ends = new Map<CallId, (outcome: Outcome) => void>();

  constructor(path: string, options: Partial<UnixJsonLinkOptions> = {}) {
    const handler: LinkHandler = {
      request: () => {},
      message: (call, payload) => this.#end(call, { response: PluginResponse.decode(payload) }),
      cancelled: (call, error) => this.#end(call, { error }),
      drained: () => {},
      closed: (error) => {
        this.closed = { error };
      },
    };
    const onRemark = (text: string) => void this.remarks.push(text);
    this.link = new UnixJsonLink({ peer: "hello", path, onRemark, ...options }, () => handler);
  }

  open(request: Member | undefined, timeoutMs = 0, requestId = "ours"): { call: CallId; ended: Promise<Outcome> } {
    const context = { timeoutMs, traceParent: "", caller: "", acceptsCalls: false, wantsProgress: false };
    const call = this.link.open(PluginRequest.encode({ requestId, request, context }).finish(), true);
    const ended = new Promise<Outcome>((resolve) => this.#ends.set(call, resolve));
    return { call, ended };
  }

  get(path = "/", timeoutMs = 0) {
    return this.http({ path }, timeoutMs);
  }

  http(request: Partial<Extract<Member, { $case: "http" }>["value"]>, timeoutMs = 0) {
    const whole = { route: "/hello", method: "GET", path: "/", headers: [], body: new Uint8Array(), ...request };
    return this.open({ $case: "http", value: whole }, timeoutMs);
  }

  tool(action: string, args: object, timeoutMs = 0) {
    const toolName = `hello_kv_${action}`;
    const value = { toolName, arguments: args, callerPlugin: "", traceParent: "", provider: "", sessionId: "" };
    return this.open({ $case: "toolCall", value }, timeoutMs);
  }

  [Symbol.dispose](): void {
    void this.link.close(0);
  }

  #end(call: CallId, outcome: Outcome): void {
    const end = this.#ends.get(call);
    if (end === undefined) this.doubled += 1;
    this.#ends.delete(call);
    end?.(outcome);
    this.onEnd();
  }
}

/** The HTTP response of a call, its body as text. @throws what went wrong */
export async function httpOf(ended: Promise<Outcome>) {
  const outcome = await ended;
  if ("error" in outcome) throw outcome.error;
  const { response } = outcome.response;
  if (response?.$case !== "http") throw new Error(`answered with ${response?.$case}`);
  const { status, headers, body } = response.value;
  return { status, headers: headers.map(({ name, value }) => [name, value]), body: Buffer.from(body).toString() };
}

export async function errorOf(ended: Promise<Outcome>): Promise<{ code: string; message: string }> {
  const outcome = await ended;
  if ("error" in outcome) return { code: outcome.error.code, message: outcome.error.message };
  throw new Error(`answered with ${JSON.stringify(outcome.response.response)}`);
}
