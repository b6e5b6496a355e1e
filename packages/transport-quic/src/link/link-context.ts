import type { LinkHandler } from "@orchestrator/transport";
import type { EngineConnection } from "../engine/engine.ts";
import type { CallTable } from "./call-table.ts";
import type { LinkLimits, Wire } from "./link-rules.ts";

/** What the parts of one link share. */
export interface LinkContext {
  readonly peer: string;
  readonly wire: Wire;
  readonly engine: EngineConnection;
  readonly limits: LinkLimits;
  readonly calls: CallTable;
  handler: LinkHandler;
  /** Only ever moves forward. */
  phase: "open" | "closing" | "closed";
}
