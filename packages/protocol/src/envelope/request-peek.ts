import { readText } from "./wire.ts";

/**
 * What the hub needs of a request, read without decoding it. Texts are "" where the field is absent. Ranges are byte offsets
 * into the bytes that were peeked, `[start, end)`; a range whose end is 0 is absent.
 *
 * `route`, `requestId`, `claimedCaller`, `traceParent` and `legacyTraceParent` are made when they are asked for, from the bytes that were
 * peeked (and checked then): a peek keeps those bytes alive, and they must not change.
 */
export interface RequestPeek {
  /** Field number of the member that is set, see `RequestKind`; 0 for none, or for one that is newer than this code. */
  readonly kind: number;
  readonly requestId: string;
  /** The whole field, tag included. */
  readonly requestIdStart: number;
  readonly requestIdEnd: number;
  /** Where its text starts, which ends where the field does. */
  readonly requestIdAt: number;
  /** Where the member's tag starts. */
  readonly memberStart: number;
  /** The member's payload. */
  readonly bodyStart: number;
  readonly bodyEnd: number;

  /** What is asked for: tool name, prompt name, storage type ("" means the default one) or topic. */
  readonly route: string;
  /** Where the bytes of `route` lie, UTF-8 without tag and length. */
  readonly routeStart: number;
  readonly routeEnd: number;
  /** tool_call only. */
  readonly provider: string;
  /** stream_start and stream_cancel. */
  readonly streamId: string;
  /** subscribe, unsubscribe and publish. */
  readonly subscriptionId: string;
  /** tool_call only: the trace of a peer that knows no context. */
  readonly legacyTraceParent: string;

  /** Who the sender says it is: believed only by a plugin, of its hub, which writes it. */
  readonly claimedCaller: string;
  /** The whole field (tag included) of `claimedCaller`. */
  readonly callerStart: number;
  readonly callerEnd: number;
  /** The whole field of `legacyTraceParent`. */
  readonly traceStart: number;
  readonly traceEnd: number;
  /** Where its text starts, which ends where the field does. */
  readonly traceAt: number;
  /** publish only: the whole fields that only the hub may set. */
  readonly subscriptionStart: number;
  readonly subscriptionEnd: number;
  readonly timestampStart: number;
  readonly timestampEnd: number;

  /** The whole context field, tag included. */
  readonly contextStart: number;
  readonly contextEnd: number;
  /** From the context; 0 where the caller has no opinion. */
  readonly timeoutMs: number;
  /** From the context, not yet parsed. */
  readonly traceParent: string;
  /** Where its text lies. */
  readonly traceParentAt: number;
  readonly traceParentEnd: number;
  readonly acceptsCalls: boolean;
  readonly wantsProgress: boolean;
}

/** One hidden class for every request: the engine then reads its fields at fixed offsets. */
export class Peek implements RequestPeek {
  private readonly bytes: Uint8Array;
  kind = 0;
  requestIdStart = 0;
  requestIdEnd = 0;
  memberStart = 0;
  bodyStart = 0;
  bodyEnd = 0;
  routeStart = 0;
  routeEnd = 0;
  provider = "";
  streamId = "";
  subscriptionId = "";
  callerStart = 0;
  callerEnd = 0;
  traceStart = 0;
  traceEnd = 0;
  subscriptionStart = 0;
  subscriptionEnd = 0;
  timestampStart = 0;
  timestampEnd = 0;
  contextStart = 0;
  contextEnd = 0;
  timeoutMs = 0;
  acceptsCalls = false;
  wantsProgress = false;
  /** Where the values of the texts that are made on first use start, and where the context's ends. */
  requestIdAt = 0;
  callerAt = 0;
  traceAt = 0;
  traceParentAt = 0;
  traceParentEnd = 0;
  private routeText: string | undefined = undefined;
  private requestIdText: string | undefined = undefined;
  private traceParentText: string | undefined = undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get route(): string {
    this.routeText ??= readText(this.bytes, this.routeStart, this.routeEnd);
    return this.routeText;
  }

  get requestId(): string {
    this.requestIdText ??= readText(this.bytes, this.requestIdAt, this.requestIdEnd);
    return this.requestIdText;
  }

  get traceParent(): string {
    this.traceParentText ??= readText(this.bytes, this.traceParentAt, this.traceParentEnd);
    return this.traceParentText;
  }

  get claimedCaller(): string {
    return readText(this.bytes, this.callerAt, this.callerEnd);
  }

  get legacyTraceParent(): string {
    return readText(this.bytes, this.traceAt, this.traceEnd);
  }
}
