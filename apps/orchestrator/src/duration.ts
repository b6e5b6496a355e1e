import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** "500ms", "30s", "5m", "2h" → milliseconds; a bare number counts seconds. For commander: its error names the option. */
export function parseDuration(text: string): number {
  const ms = milliseconds(text);
  if (!(ms > 0) || ms > 86_400_000)
    throw new InvalidArgumentError("Expected a time such as 500ms, 30s, 5m or 2h, up to a day.");
  return Math.round(ms);
}

/** As `parseDuration`, with days, and for as long as one likes. */
export function parseLongDuration(text: string): number {
  const ms = milliseconds(text);
  if (!(ms > 0) || ms > 36_500 * 86_400_000)
    throw new InvalidArgumentError("Expected a time such as 500ms, 30s, 5m, 2h or 7d, up to a hundred years.");
  return Math.round(ms);
}

/** A moment: so long ago ("1h", "7d"), or a date ("2030-01-31", "2030-01-31T12:00:00Z"). @returns epoch milliseconds */
export function parseMoment(text: string): number {
  const ago = milliseconds(text);
  if (ago > 0) return Date.now() - ago;
  const date = /^\d{4}-\d{2}-\d{2}/.test(text.trim()) ? Date.parse(text.trim()) : Number.NaN;
  if (!(date > 0))
    throw new InvalidArgumentError("Expected a time such as 30m, 1h or 7d, or a date such as 2030-01-31.");
  return date;
}

function milliseconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?$/.exec(text.trim());
  return match === null ? Number.NaN : Number(match[1]) * UNITS[match[2] ?? "s"]!;
}
