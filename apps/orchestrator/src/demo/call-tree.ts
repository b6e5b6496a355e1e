import type { CallRecord } from "@orchestrator/protocol";

/** One call, and those that were made to answer it. */
export interface CallNode {
  readonly call: CallRecord;
  readonly depth: number;
}

/** The calls of the trace that `name` belongs to, parents before children; the latest such trace counts. */
export function callTree(calls: readonly CallRecord[], name: string): readonly CallNode[] {
  const root = calls.findLast((call) => call.name === name);
  if (root === undefined) return [];
  const trace = calls.filter((call) => call.traceId === root.traceId);
  const below = (call: CallRecord, depth: number): CallNode[] => [
    { call, depth },
    ...trace.filter((one) => one.parentSpanId === call.spanId && one !== call).flatMap((one) => below(one, depth + 1)),
  ];
  return below(root, 0);
}
