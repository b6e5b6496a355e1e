import { ErrorCode, HubError, MAX_FRAME_BYTES } from "@orchestrator/protocol";
import type { Call } from "./call.ts";
import type { CallEndings } from "./call-endings.ts";
import type { ReadEvents } from "./call-reader.ts";
import { AppCode, errorOfCode } from "./codes.ts";
import type { LinkContext } from "./link-context.ts";
import { EMPTY } from "./link-rules.ts";

/** What streams bring, for the handler. */
export class Deliveries implements ReadEvents {
  /** The call of which a message is being handed over. */
  current: Call | undefined;
  readonly #context: LinkContext;
  readonly #endings: CallEndings;

  constructor(context: LinkContext, endings: CallEndings) {
    this.#context = context;
    this.#endings = endings;
  }

  message(call: Call, payload: Uint8Array, last: boolean): void {
    const { handler } = this.#context;
    if (!last) call.uncredited += payload.length;
    const first = !call.received;
    call.received = true;
    if (call.opener && last) this.#endings.answered(call);
    this.current = call;
    if (first && !call.opener) handler.request(call.id, payload, last);
    else handler.message(call.id, payload, last);
    this.current = undefined;
  }

  finished(call: Call): void {
    if (call.over) {
      this.#endings.retireIfDone(call);
    } else if (call.received) {
      // The peer ended the stream on its own, after its last message.
      this.message(call, EMPTY, true);
    } else {
      this.#broken(call, AppCode.Protocol, "ended the call without a message");
    }
  }

  cutOff(call: Call): void {
    this.#broken(call, AppCode.Protocol, "ended the call in the middle of a message");
  }

  tooLarge(call: Call, length: number): void {
    this.#broken(call, AppCode.FrameTooLarge, `sent a message of ${length} bytes, the limit is ${MAX_FRAME_BYTES}`);
  }

  resetByPeer(call: Call, code: number): void {
    // Without this quiche keeps the stream: it hands the reset out, but counts it as unread data that is still to come.
    this.#context.engine.stop(call.stream, AppCode.Done);
    if (call.over) this.#endings.retireIfDone(call);
    else this.#endings.lose(call, AppCode.Cancelled, errorOfCode(code, this.#context.peer));
  }

  unwanted(call: Call): void {
    this.#endings.unwanted(call);
  }

  #broken(call: Call, code: AppCode, what: string): void {
    if (call.over) this.#endings.giveUp(call, code);
    else
      this.#endings.lose(call, code, new HubError(ErrorCode.Protocol, `${this.#context.peer || "The peer"} ${what}`));
  }
}
