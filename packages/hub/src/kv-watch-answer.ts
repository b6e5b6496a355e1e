import { ErrorCode, errorResponse, HubError, PluginResponse, RequestKind } from "@orchestrator/protocol";
import type { KvWatcher, KvWatchItem } from "@orchestrator/store";
import type { CallId } from "@orchestrator/transport";
import { kvResponse } from "./kv-response.ts";
import type { Port, PortCall } from "./port.ts";

export interface KvWatchAnswerParts {
  readonly port: Port;
  readonly call: CallId;
  readonly requestId: string;
  /** The watch is over. Called once. */
  readonly ended: () => void;
}

/** One watch: tells its peer of changes, as fast as the peer takes them. */
export class KvWatchAnswer implements PortCall {
  readonly #parts: KvWatchAnswerParts;
  #watcher: KvWatcher | undefined;
  /** Taken and not yet sent. */
  #items: readonly KvWatchItem[] = [];
  #next = 0;
  #isFull = false;
  #isScheduled = false;
  /** What was there has been told, and the peer knows it. */
  #isInPlace = false;

  constructor(parts: KvWatchAnswerParts) {
    this.#parts = parts;
  }

  /** @throws {HubError} what `watch` throws; then nothing was begun */
  start(watch: (wake: () => void) => KvWatcher): void {
    this.#watcher = watch(() => this.#schedule());
    this.#parts.port.attach(this.#parts.call, this);
    this.#schedule();
  }

  message(port: Port, call: CallId, payload: Uint8Array, last: boolean): void {
    if (!last) port.link.credit(call, payload.length);
  }

  cancelled(): void {
    this.#end();
  }

  drained(): void {
    this.#isFull = false;
    this.#flush();
  }

  /** Changes of one turn of the loop leave together. */
  #schedule(): void {
    if (this.#isScheduled || this.#isFull) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const { port, call, requestId } = this.#parts;
    try {
      for (;;) {
        while (this.#next < this.#items.length) {
          if (this.#isFull || this.#watcher === undefined) return;
          this.#send(this.#items[this.#next++]!);
        }
        if (this.#isFull || this.#watcher === undefined) return;
        this.#items = this.#watcher.take();
        this.#next = 0;
        if (this.#items.length === 0) break;
      }
      if (!this.#isInPlace) {
        this.#isInPlace = true;
        this.#sendResponse({});
      }
    } catch (reason) {
      // The file cannot be read any more: that is this watch's end and nobody else's.
      const error = HubError.from(reason, ErrorCode.Internal);
      this.#end();
      port.forget(call);
      port.reply(call, errorResponse(RequestKind.Kv, requestId, error), true);
    }
  }

  #send(item: KvWatchItem): void {
    this.#sendResponse("lagged" in item ? { lagged: true } : { entry: item.entry, removed: item.removed });
  }

  #sendResponse(value: Parameters<typeof kvResponse>[0]): void {
    const { port, call, requestId } = this.#parts;
    const response = PluginResponse.encode({ requestId, response: kvResponse(value), error: undefined }).finish();
    this.#isFull = !port.reply(call, response, false);
  }

  #end(): void {
    if (this.#watcher === undefined) return;
    this.#watcher.close();
    this.#watcher = undefined;
    this.#items = [];
    this.#parts.ended();
  }
}
