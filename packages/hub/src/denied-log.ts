import type { CapabilityKind } from "@orchestrator/config";
import { FloodGate } from "./flood-gate.ts";
import type { HubLog } from "./hub-log.ts";
import type { Caller } from "./policy.ts";

/** Refused calls of one caller that are told one by one; the rest of a flood is counted. */
const LIMITS = { burstLines: 20, linesPerSecond: 2, burstLength: 64 * 1024, lengthPerSecond: 8 * 1024 };

export interface DeniedLogOptions {
  readonly log: HubLog;
  /** Keeps the call where the operator finds calls; `name` is such as "tool delete_feature". */
  readonly record: (caller: string, name: string) => void;
}

/** Keeps calls that were refused: one record and one line of the log for each, as far as one caller does not flood both. */
export class DeniedLog {
  readonly #options: DeniedLogOptions;
  readonly #gate = new FloodGate(LIMITS);
  #total = 0;

  constructor(options: DeniedLogOptions) {
    this.#options = options;
  }

  /** All refused calls, also those that no line was written for. */
  get total(): number {
    return this.#total;
  }

  /** @param rule which rule refused it, as `decide` names it */
  denied(caller: Caller, kind: CapabilityKind, name: string, rule: string): void {
    this.#total += 1;
    // Records are a ring: a caller that is refused all the time must not push everybody else's calls out of it.
    if (!this.#gate.admits(caller.id, name.length, performance.now())) return;
    const missing = this.#gate.takeSuppressed(caller.id);
    const also = missing === 0 ? "" : `; ${missing} more were refused before and not told`;
    const what = `Refused "${caller.id}" the use of ${kind} "${name}": ${rule}${also}`;
    this.#options.log.writeAbout(caller.id, "warn", "hub", what);
    this.#options.record(caller.id, `${kind} ${name}`);
  }
}
