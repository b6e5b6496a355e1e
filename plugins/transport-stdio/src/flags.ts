import { DEFAULT_LISTEN_ADDRESS, ErrorCode, HubError } from "@orchestrator/protocol";
import { DEFAULT_CALL_TIMEOUT_MS } from "./run-stdio.ts";

/** What the command line says. */
export interface Flags {
  readonly address: string;
  /** Undefined for the usual directory. */
  readonly certsDir: string | undefined;
  readonly callTimeoutMs: number;
  readonly show: "help" | "version" | undefined;
}

export const HELP = `transport-stdio: the Model Context Protocol on standard input and output, for a running hub

  --orchestrator-addr HOST:PORT  where the hub listens (default ${DEFAULT_LISTEN_ADDRESS})
  --certs-dir DIR                certificates of the hub (default ~/.orchestra/certs)
  --call-timeout DURATION        longest tool call: 90s, 5m, 500ms (default ${DEFAULT_CALL_TIMEOUT_MS / 1000}s)
  --version, --help
`;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
/** A day: more is a slip of the pen. */
const MAX_TIMEOUT_MS = 86_400_000;

/**
 * Reads flags as existing hosts write them: one dash or two, the value after "=" or in the next word, the last one counts.
 * @throws {HubError} `INVALID_ARGUMENT`
 */
export function parseFlags(args: readonly string[]): Flags {
  const values = new Map<string, string>();
  let show: Flags["show"];
  for (let i = 0; i < args.length; i++) {
    const { name, value } = split(args[i] ?? "");
    if (name === "help" || name === "h" || name === "version") {
      show = name === "version" ? "version" : "help";
    } else if (name === "orchestrator-addr" || name === "certs-dir" || name === "call-timeout") {
      const given = value ?? args[++i];
      if (given === undefined || given === "") throw invalid(`The flag --${name} needs a value`);
      values.set(name, given);
    } else {
      throw invalid(`Unknown flag "${args[i]}"`);
    }
  }
  const timeout = values.get("call-timeout");
  return {
    address: values.get("orchestrator-addr") ?? DEFAULT_LISTEN_ADDRESS,
    certsDir: values.get("certs-dir"),
    callTimeoutMs: timeout === undefined ? DEFAULT_CALL_TIMEOUT_MS : duration(timeout),
    show,
  };
}

function split(word: string): { name: string; value: string | undefined } {
  const match = /^--?([a-z][a-z-]*)(?:=(.*))?$/s.exec(word);
  return { name: match?.[1] ?? "", value: match?.[2] };
}

function duration(text: string): number {
  const [, figure, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const ms = Math.round(Number(figure) * (UNITS[unit] ?? 0));
  if (ms >= 1 && ms <= MAX_TIMEOUT_MS) return ms;
  throw invalid(`The flag --call-timeout must be a duration up to 24h such as 90s, 5m or 500ms, not "${text}"`);
}

function invalid(message: string): HubError {
  return new HubError(ErrorCode.InvalidArgument, message);
}
