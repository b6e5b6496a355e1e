import type { KvResponse } from "@orchestrator/protocol";

/** A response about entries, with everything in it that is not named left empty. */
export function kvResponse(value: Partial<KvResponse>): { $case: "kv"; value: KvResponse } {
  return {
    $case: "kv",
    value: { entry: undefined, entries: [], nextKey: "", removed: false, lagged: false, ...value },
  };
}
