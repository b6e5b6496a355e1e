import { parseArgs } from "node:util";
import { BASELINE_FILE } from "./baseline.ts";

export interface GateOptions {
  /** "" for every guarded suite. */
  readonly filter: string;
  readonly baseline: string;
  /** Of each figure. */
  readonly rounds: string;
}

/** `[FILTER] [--baseline FILE] [--rounds N]`. Ends the process with 2 where that makes no sense. */
export function parseGateOptions(args: readonly string[]): GateOptions {
  try {
    const { values, positionals } = parseArgs({
      args: args.filter((arg) => arg !== "--"),
      allowPositionals: true,
      options: { baseline: { type: "string", default: BASELINE_FILE }, rounds: { type: "string", default: "5" } },
    });
    if (positionals.length > 1) throw new Error(`One filter, not ${positionals.length}: join them with "|"`);
    return { filter: positionals[0] ?? "", baseline: values.baseline, rounds: values.rounds };
  } catch (reason) {
    console.error(reason instanceof Error ? reason.message : reason);
    return process.exit(2);
  }
}
