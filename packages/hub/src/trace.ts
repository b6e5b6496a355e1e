const TRACE_PARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/;

/** One call's place in its trace. */
export interface Span {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** 16 hex digits, "" at the root. */
  readonly parentSpanId: string;
  /** What the callee gets as trace parent. */
  readonly traceParent: string;
}

/** Makes span and trace ids: a random start per hub, then counting, which costs no system call per call. */
export class SpanSource {
  readonly #prefix = hex(8);
  readonly #tracePrefix = hex(16);
  #count = 0;

  /** @param parent what the caller sent: W3C trace context; anything that does not fit starts a new trace */
  next(parent: string): Span {
    this.#count += 1;
    const count = this.#count.toString(16);
    const spanId = this.#prefix + count.padStart(8, "0").slice(-8);
    const match = parent === "" ? null : TRACE_PARENT.exec(parent);
    const traceId = match?.[1] ?? this.#tracePrefix + count.padStart(16, "0");
    return {
      traceId,
      spanId,
      parentSpanId: match?.[2] ?? "",
      traceParent: `00-${traceId}-${spanId}-${match?.[3] ?? "01"}`,
    };
  }
}

function hex(digits: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(digits / 2))).toString("hex");
}
