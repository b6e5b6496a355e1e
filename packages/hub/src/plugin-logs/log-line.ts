import type { LogEntry, LogLevel } from "../hub-log.ts";

/** Levels as they stand in the files, least severe first. */
export const LOG_LEVELS = ["Trace", "Debug", "Info", "Warn", "Error"] as const;
export type PluginLogLevel = (typeof LOG_LEVELS)[number];

/** One line of a plugin's log file. Other keys are what the plugin added itself. */
export interface PluginLogLine {
  /** RFC 3339. */
  readonly timestamp: string;
  readonly level: PluginLogLevel;
  readonly message: string;
  readonly plugin: string;
  readonly [key: string]: unknown;
}

const LEVELS: Readonly<Record<LogLevel, PluginLogLevel>> = {
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error",
};

/** "warning", "WARN" and the like, as plugins write them. */
export function parseLevel(text: unknown): PluginLogLevel | undefined {
  if (typeof text !== "string") return undefined;
  const word = text.toLowerCase();
  if (word === "warning") return "Warn";
  if (word === "fatal" || word === "critical") return "Error";
  return LOG_LEVELS.find((level) => level.toLowerCase() === word);
}

/**
 * An entry of the hub's log as a line of the plugin's file, with its line break. A line that the plugin wrote as a log object
 * of its own (JSON with a `message`) keeps its level, time and whatever else is in it; every other line is a message. Whatever
 * the plugin wrote, this is one line of valid JSON.
 */
export function toLine({ timeMs, source, level, text, fields }: LogEntry): string {
  const own = logObject(text);
  const line = {
    timestamp: new Date(timeMs).toISOString(),
    level: LEVELS[level],
    message: text,
    ...fields,
    ...own,
    // Nobody speaks in another one's file under another one's name.
    plugin: source,
  };
  return `${JSON.stringify(line)}\n`;
}

function logObject(text: string): object | undefined {
  if (!text.startsWith("{") || !text.endsWith("}")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { message, level, timestamp, ...rest } = value as Readonly<Record<string, unknown>>;
  if (typeof message !== "string") return undefined;
  const known = parseLevel(level);
  const time = typeof timestamp === "string" && !Number.isNaN(Date.parse(timestamp)) ? { timestamp } : {};
  return { ...rest, message, ...(known === undefined ? {} : { level: known }), ...time };
}
