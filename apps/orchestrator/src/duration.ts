import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** "500ms", "30s", "5m", "2h" → milliseconds; a bare number counts seconds. For commander: its error names the option. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h)?$/.exec(text.trim());
  const ms = match === null ? Number.NaN : Number(match[1]) * UNITS[match[2] ?? "s"]!;
  if (!(ms > 0) || ms > 86_400_000)
    throw new InvalidArgumentError("Expected a time such as 500ms, 30s, 5m or 2h, up to a day.");
  return Math.round(ms);
}
