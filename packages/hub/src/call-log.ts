import { TRACE_PARENT_BYTES } from "@orchestrator/protocol";
import { type SpanSource, spanIdOf, traceIdOf } from "./trace.ts";

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
  readonly durationUs: number;
  /** An ErrorCode, "" for success. */
  readonly error: string;
}

const KEPT_CALLS = 4_096;
const SPAN_BYTES = 16;

/**
 * A ring of the latest calls, one column per value. Nothing is made for a call: an object each would outlive many thousand
 * calls, and moving them all to where long-lived objects are kept cost more than the rest of a call.
 */
export class CallLog {
  readonly #traces = new Uint8Array(KEPT_CALLS * TRACE_PARENT_BYTES);
  readonly #parents = new Uint8Array(KEPT_CALLS * SPAN_BYTES);
  readonly #callers: string[] = new Array(KEPT_CALLS).fill("");
  readonly #callees: string[] = new Array(KEPT_CALLS).fill("");
  readonly #names: string[] = new Array(KEPT_CALLS).fill("");
  readonly #errors: string[] = new Array(KEPT_CALLS).fill("");
  readonly #startedAt = new Float64Array(KEPT_CALLS);
  readonly #durations = new Float64Array(KEPT_CALLS);
  #count = 0;

  /**
   * A call begins.
   * @param spans has just made its ids
   * @param startedAt performance.now()
   * @returns what to end it with
   */
  begin(spans: SpanSource, caller: string, callee: string, name: string, startedAt: number): number {
    const ticket = this.#count;
    const slot = ticket % KEPT_CALLS;
    this.#count += 1;
    this.#traces.set(spans.traceParent, slot * TRACE_PARENT_BYTES);
    const parent = slot * SPAN_BYTES;
    if (spans.hasParent) this.#parents.set(spans.parentSpan, parent);
    else this.#parents[parent] = 0;
    this.#callers[slot] = caller;
    this.#callees[slot] = callee;
    this.#names[slot] = name;
    this.#errors[slot] = "";
    this.#startedAt[slot] = startedAt;
    this.#durations[slot] = -1;
    return ticket;
  }

  /** The call is over. One that began more than 4 096 calls ago is forgotten already. */
  end(ticket: number, durationUs: number, error: string): void {
    if (this.#count - ticket > KEPT_CALLS) return;
    const slot = ticket % KEPT_CALLS;
    this.#durations[slot] = durationUs;
    if (error !== "") this.#errors[slot] = error;
  }

  /** The latest calls of one trace, or of all, oldest first. */
  latest(limit: number, traceId = ""): CallEntry[] {
    const found: CallEntry[] = [];
    const oldest = Math.max(0, this.#count - KEPT_CALLS);
    for (let ticket = this.#count - 1; ticket >= oldest && found.length < limit; ticket -= 1) {
      const entry = this.#entry(ticket % KEPT_CALLS);
      if (traceId === "" || entry.traceId === traceId) found.push(entry);
    }
    return found.reverse();
  }

  #entry(slot: number): CallEntry {
    const trace = this.#traces.subarray(slot * TRACE_PARENT_BYTES, (slot + 1) * TRACE_PARENT_BYTES);
    const parent = this.#parents.subarray(slot * SPAN_BYTES, (slot + 1) * SPAN_BYTES);
    return {
      traceId: traceIdOf(trace),
      spanId: spanIdOf(trace),
      parentSpanId: parent[0] === 0 ? "" : String.fromCharCode(...parent),
      caller: this.#callers[slot]!,
      callee: this.#callees[slot]!,
      name: this.#names[slot]!,
      startedAtMs: performance.timeOrigin + this.#startedAt[slot]!,
      durationUs: this.#durations[slot]!,
      error: this.#errors[slot]!,
    };
  }
}
