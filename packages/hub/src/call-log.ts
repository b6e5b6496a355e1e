/** One call that passed through the hub, as the operator sees it. */
export interface CallEntry {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly caller: string;
  readonly callee: string;
  /** "tool create_feature", "storage_write markdown" … */
  readonly name: string;
  /** Epoch milliseconds, fractional. */
  readonly startedAtMs: number;
  /** Microseconds; -1 while it is under way. */
  durationUs: number;
  /** An ErrorCode, "" for success. */
  error: string;
}

const KEPT_CALLS = 4_096;

/** A ring of the latest calls. */
export class CallLog {
  readonly #ring: (CallEntry | undefined)[] = new Array(KEPT_CALLS).fill(undefined);
  #next = 0;

  add(entry: CallEntry): void {
    this.#ring[this.#next] = entry;
    this.#next = (this.#next + 1) % KEPT_CALLS;
  }

  /** The latest calls of one trace, or of all, oldest first. */
  latest(limit: number, traceId = ""): CallEntry[] {
    const found: CallEntry[] = [];
    for (let back = 1; back <= KEPT_CALLS && found.length < limit; back += 1) {
      const entry = this.#ring[(this.#next - back + KEPT_CALLS) % KEPT_CALLS];
      if (entry === undefined) break;
      if (traceId === "" || entry.traceId === traceId) found.push(entry);
    }
    return found.reverse();
  }
}
