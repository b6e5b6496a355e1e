import { setTimeout as pause } from "node:timers/promises";
import { ToolError } from "@orchestrator/runtime";
import type { Services } from "../services.ts";

/** Says "somebody else was faster: read again". */
export const CONFLICT = Symbol("conflict");

/** Far more than real use needs: each conflict means that somebody else's write succeeded. */
const MAX_ATTEMPTS = 40;

/**
 * Repeats a read-modify-write until its write meets the version that it read.
 * @throws {ToolError} `storage_error` when that never happens
 */
export async function untilWritten<T>(
  subject: string,
  attempt: () => Promise<T | typeof CONFLICT>,
  options: { readonly services: Services; readonly signal: AbortSignal },
): Promise<T> {
  const { services, signal } = options;
  for (let round = 0; round < MAX_ATTEMPTS; round++) {
    signal.throwIfAborted();
    const result = await attempt();
    if (result !== CONFLICT) return result;
    const ceiling = services.conflictPauseMs * 2 ** Math.min(round, 4);
    if (ceiling > 0) await pause(services.random(ceiling + 1), undefined, { signal });
  }
  throw new ToolError("storage_error", `Cannot write ${subject}: others changed it ${MAX_ATTEMPTS} times meanwhile`);
}
