import { parseArgs } from "node:util";
import type { Suite } from "./suite.ts";

export interface Options {
  readonly suites: readonly Suite[];
  readonly json: string | undefined;
  readonly rounds: number;
  readonly scale: number;
  readonly full: boolean;
  readonly short: boolean;
}

const USAGE = `pnpm bench [FILTER] [--json FILE] [--rounds N] [--scale X] [--full] [--short]

  FILTER        a regular expression over the names of suites
  --json FILE   writes the results there
  --rounds N    how often each figure is taken (default 5)
  --scale X     how long, 1 is the full size (default 1)
  --full        also what takes minutes: a hundred plugins on one hub
  --short       only what the gate compares`;

/** Reads the command line. Ends the process with 2, and says what there is, where it makes no sense. */
export function parseOptions(args: readonly string[], suites: readonly Suite[]): Options {
  try {
    const { values, positionals } = parseArgs({
      // pnpm hands the separator on.
      args: args.filter((arg) => arg !== "--"),
      allowPositionals: true,
      options: {
        json: { type: "string" },
        rounds: { type: "string", default: "5" },
        scale: { type: "string", default: "1" },
        full: { type: "boolean", default: false },
        short: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    if (positionals.length > 1) throw new Error(`One filter, not ${positionals.length}: join them with "|"`);
    const rounds = positive("--rounds", values.rounds);
    if (!Number.isInteger(rounds)) throw new Error("--rounds is a whole number");
    const filter = new RegExp(positionals[0] ?? "");
    const chosen = suites.filter(({ name }) => filter.test(name));
    if (chosen.length === 0) {
      throw new Error(`No suite matches "${filter.source}". There are: ${suites.map(({ name }) => name).join(", ")}`);
    }
    const { json, full, short } = values;
    return { suites: chosen, json, rounds, scale: positive("--scale", values.scale), full, short };
  } catch (reason) {
    console.error(`${reason instanceof Error ? reason.message : reason}\n\n${USAGE}`);
    return process.exit(2);
  }
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1_000)) throw new Error(`${flag} is a number above 0, not "${text}"`);
  return value;
}
