import { peekRequest } from "@orchestrator/protocol";
import type { AcceptLink, CallId, Link } from "@orchestrator/transport";
import { BULK_BYTES, ECHO_RESULT, echoResult } from "../envelope.ts";

/** Requests from here up are answered with as much. */
const BULK_FROM_BYTES = 1024 * 1024;

/** Answers a tool call with the same bytes each time, under the caller's request id. Long calls get a long answer. */
export class EchoService {
  #bulk: Uint8Array | undefined;

  answer(link: Link, call: CallId, payload: Uint8Array, requestId: string): void {
    const result = payload.length < BULK_FROM_BYTES ? ECHO_RESULT : this.#longResult();
    const bytes = Buffer.allocUnsafe(2 + requestId.length + result.length);
    bytes[0] = 10;
    bytes[1] = requestId.length;
    bytes.write(requestId, 2, "latin1");
    bytes.set(result, 2 + requestId.length);
    link.send(call, bytes, true);
  }

  #longResult(): Uint8Array {
    this.#bulk ??= echoResult(BULK_BYTES);
    return this.#bulk;
  }
}

/** Serves nothing but tool calls, for benchmarks of a link alone. */
export function echoLink(ended: () => void = () => {}): AcceptLink {
  const service = new EchoService();
  return (link) => ({
    request: (call, payload) => service.answer(link, call, payload, peekRequest(payload).requestId),
    message: () => {},
    cancelled: () => {},
    drained: () => {},
    closed: ended,
  });
}
