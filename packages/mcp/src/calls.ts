import { CallController, type CallSignal } from "./call-signal.ts";
import { type RequestId, requestKey } from "./jsonrpc.ts";

/** Takes the answer to one message of a client, or undefined where none is due. */
export type Reply = (text: string | undefined, about?: RequestId) => void;

/** One request under way. */
export interface Call {
  readonly id: RequestId;
  readonly signal: CallSignal;
  /** Answered or cancelled: nothing more may be sent about it. */
  readonly over: boolean;
  /** Answers it. Once it is over this does nothing. */
  end(text: string | undefined): void;
}

/** The requests under way. Each is answered once, or, when it is cancelled first, never. */
export class Calls {
  readonly #open = new Map<string, { readonly call: Call; readonly controller: CallController }>();
  #waiting: (() => void)[] = [];

  get size(): number {
    return this.#open.size;
  }

  has(id: RequestId): boolean {
    return this.#open.has(requestKey(id));
  }

  /** The id must be free. */
  begin(id: RequestId, reply: Reply): Call {
    const controller = new CallController();
    const key = requestKey(id);
    let over = false;
    const call: Call = {
      id,
      signal: controller,
      get over() {
        return over;
      },
      end: (text) => {
        if (over) return;
        over = true;
        this.#open.delete(key);
        reply(text, id);
        if (this.#open.size === 0) this.#wake();
      },
    };
    this.#open.set(key, { call, controller });
    return call;
  }

  /** Frees the id at once, whatever the backend does with the signal. @returns false where nothing goes by that id */
  cancel(id: RequestId): boolean {
    const found = this.#open.get(requestKey(id));
    found?.controller.abort();
    found?.call.end(undefined);
    return found !== undefined;
  }

  cancelAll(): void {
    for (const { call } of [...this.#open.values()]) this.cancel(call.id);
  }

  /** Resolves once nothing is under way. */
  idle(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
