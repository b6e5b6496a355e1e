import {
  type AllocateOptions,
  ErrorCode,
  encodeDocumentAnswer,
  encodeToolResult,
  errorResponse,
  HubError,
  type PluginRequest,
  PluginResponse,
} from "@orchestrator/protocol";
import type { CallId, Link } from "@orchestrator/transport";
import type { Stoppable, StopSource } from "../calling/call-scope.ts";
import type { StoredDocument } from "../definition.ts";
import type { JsonObject } from "../json.ts";
import { kindOf } from "./request-kind.ts";

/** Longest delay that a timer can hold; a deadline farther away than that needs none. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** One call that a peer opened, until it is answered or given up. Exactly one answer leaves, whoever gives it. */
export class ServedCall implements StopSource {
  readonly request: PluginRequest;
  readonly link: Link;
  readonly #id: CallId;
  readonly #ended: (call: ServedCall) => void;
  readonly #options: AllocateOptions;
  /** Epoch milliseconds, `Infinity` where nobody set one. */
  readonly deadlineMs: number;
  #isOpen = true;
  /** Pieces of a stream that left. */
  #chunksSent = 0;
  #controller: AbortController | undefined;
  #abortReason: HubError | undefined;
  /** Calls that were made on behalf of this one. */
  #parts: Set<Stoppable> | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #isBlocked = false;
  #room: PromiseWithResolvers<void> | undefined;

  /** @param options where answers are written */
  constructor(
    link: Link,
    id: CallId,
    request: PluginRequest,
    ended: (call: ServedCall) => void,
    options: AllocateOptions = {},
  ) {
    this.link = link;
    this.#id = id;
    this.request = request;
    this.#ended = ended;
    this.#options = options;
    const timeoutMs = request.context?.timeoutMs ?? 0;
    this.deadlineMs = timeoutMs > 0 ? Date.now() + timeoutMs : Number.POSITIVE_INFINITY;
  }

  /** False once it was answered or given up: whatever is sent then goes nowhere. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** True while the peer has not taken what was sent; `room` tells when it has. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** The stream that it opened, or "". */
  get streamId(): string {
    return this.request.request?.$case === "streamStart" ? this.request.request.value.streamId : "";
  }

  /** Made when first asked for: most handlers never look at it, and it costs more than all the rest of a call. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
      else if (this.#isOpen) this.#startDeadline();
    }
    return this.#controller.signal;
  }

  /** Tells the handler to stop. The call stays open: its answer may still be wanted. */
  abort(reason: HubError): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(reason);
    if (this.#parts === undefined) return;
    const parts = [...this.#parts];
    this.#parts.clear();
    for (const part of parts) part.stop(reason);
  }

  addPart(part: Stoppable): void {
    this.#parts ??= new Set();
    this.#parts.add(part);
  }

  removePart(part: Stoppable): void {
    this.#parts?.delete(part);
  }

  /** Why the handler was told to stop, if it was. */
  get abortReason(): HubError | undefined {
    return this.#abortReason;
  }

  /** Sends a message that is not the last one. @throws {HubError} `FRAME_TOO_LARGE` */
  send(response: PluginResponse["response"]): void {
    if (!this.#isOpen) return;
    this.#isBlocked = !this.link.send(this.#id, this.#encode(response), false);
    if (response?.$case === "streamChunk") this.#chunksSent++;
  }

  /** Answers, and with that ends the call. An answer that is too large or cannot be encoded becomes a failure. */
  reply(response: PluginResponse["response"]): void {
    this.#replyWith(() => this.#encode(response));
  }

  /** As `reply`, with what a tool gave. */
  replyResult(result: JsonObject): void {
    this.#replyWith(() => encodeToolResult({ requestId: this.request.requestId, result }, this.#options));
  }

  /** As `reply`, with a stored document. */
  replyDocument(document: StoredDocument): void {
    this.#replyWith(() => encodeDocumentAnswer({ requestId: this.request.requestId, ...document }, this.#options));
  }

  /** As `reply`, with bytes that are ready. @throws {HubError} `FRAME_TOO_LARGE` */
  replyEncoded(payload: Uint8Array): void {
    if (!this.#isOpen) return;
    this.link.send(this.#id, payload, true);
    this.#end();
  }

  /**
   * Answers with a failure, in the shape that this kind of request has for it.
   * @param legacyCode the short code for existing peers, where it does not follow from the error's
   */
  fail(error: HubError, legacyCode?: string): void {
    if (!this.#isOpen) return;
    const options = { legacyCode, streamId: this.streamId, totalChunks: this.#chunksSent };
    const answer = (shown: HubError) => errorResponse(kindOf(this.request), this.request.requestId, shown, options);
    try {
      this.link.send(this.#id, answer(error), true);
    } catch {
      // The message itself was too large for a frame.
      const cut = new HubError(error.code, `${error.message.slice(0, 1000)} … (cut)`);
      this.link.send(this.#id, answer(cut), true);
    }
    this.#end();
  }

  /** The peer is not interested any more, or is gone. */
  giveUp(reason: HubError): void {
    if (!this.#isOpen) return;
    this.abort(reason);
    this.#end();
  }

  /** The peer took what was sent. */
  drained(): void {
    this.#isBlocked = false;
    this.#releaseRoom();
  }

  /** Resolves when more may be sent, or the call is over. */
  async room(): Promise<void> {
    if (!this.#isBlocked || !this.#isOpen) return;
    this.#room ??= Promise.withResolvers();
    await this.#room.promise;
  }

  #replyWith(encode: () => Uint8Array): void {
    if (!this.#isOpen) return;
    try {
      this.replyEncoded(encode());
    } catch (error) {
      this.fail(HubError.from(error));
    }
  }

  #encode(response: PluginResponse["response"]): Uint8Array {
    return PluginResponse.encode({ requestId: this.request.requestId, response, error: undefined }).finish();
  }

  #startDeadline(): void {
    const leftMs = this.deadlineMs - Date.now();
    if (leftMs > MAX_TIMER_MS) return;
    const expire = () => this.abort(new HubError(ErrorCode.DeadlineExceeded, "The deadline of the call has passed"));
    this.#deadlineTimer = setTimeout(expire, leftMs);
  }

  #releaseRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #end(): void {
    this.#isOpen = false;
    clearTimeout(this.#deadlineTimer);
    this.#releaseRoom();
    this.#ended(this);
  }
}
