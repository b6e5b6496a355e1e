import { peekRequest, type RequestPeek } from "@orchestrator/protocol";
import type { AcceptLink, CallId, Link } from "@orchestrator/transport";
import { BULK_BYTES, ECHO_RESULT, echoResult } from "../envelope.ts";

/** Requests from here up are answered with as much. */
const BULK_FROM_BYTES = 1024 * 1024;

/** Answers a tool call with the same bytes each time, under the caller's request id. Long calls get a long answer. */
export class EchoService {
  #bulk: Uint8Array | undefined;

  answer(link: Link, call: CallId, payload: Uint8Array, { requestIdStart, requestIdEnd }: RequestPeek): void {
    const result = payload.length < BULK_FROM_BYTES ? ECHO_RESULT : this.#longResult();
    const idBytes = requestIdEnd - requestIdStart;
    // The whole field of the id has the same number in requests and responses.
    const bytes = Buffer.allocUnsafe(idBytes + result.length);
    for (let at = 0; at < idBytes; at += 1) bytes[at] = payload[requestIdStart + at]!;
    bytes.set(result, idBytes);
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
    request: (call, payload) => service.answer(link, call, payload, peekRequest(payload)),
    message: () => {},
    cancelled: () => {},
    drained: () => {},
    closed: ended,
  });
}
