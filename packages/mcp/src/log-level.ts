import type { LogLevel } from "./backend.ts";

const LEVELS: readonly string[] = [
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency",
] satisfies LogLevel[];

/** What a client hears until it says otherwise. */
export const DEFAULT_LOG_LEVEL: LogLevel = "warning";

export function isLogLevel(value: unknown): value is LogLevel {
  return typeof value === "string" && LEVELS.includes(value);
}

/** True when an entry of `level` is severe enough for someone who asked for `threshold`. */
export function isSevere(level: LogLevel, threshold: LogLevel): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(threshold);
}
