import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { LogConfig } from "@orchestrator/config";
import type { HubLog, LogEntry, LogLevel } from "@orchestrator/hub";
import type { Output } from "../io.ts";
import { createStyle, type Style, wantsColor } from "../output/style.ts";
import { printable } from "../output/text.ts";

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** One line of the log as people read it: time, level, source, text. */
export function formatEntry(
  entry: Pick<LogEntry, "timeMs" | "source" | "text"> & { readonly level: string },
  style: Style,
): string {
  const time = new Date(entry.timeMs).toISOString().slice(11, 23);
  const { level } = entry;
  const mark = level === "error" ? style.red : level === "warn" ? style.yellow : style.dim;
  return `${style.dim(time)} ${mark(level.padEnd(5))} ${style.cyan(entry.source)} ${printable(entry.text)}`;
}

/** One line of the log as programs read it. */
export function jsonEntry({ timeMs, level, source, text, fields }: LogEntry): string {
  return JSON.stringify({
    time: new Date(timeMs).toISOString(),
    level,
    source,
    text,
    ...(fields === undefined ? {} : { fields }),
  });
}

export interface SinkOptions extends LogConfig {
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What may wait for a reader that is slow. A hub must not grow because nobody reads its log. */
const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * Writes the hub's log to standard error or to the configured file. A line that cannot be written, because the disk is full or the
 * reader is gone or too slow, is no reason to stop: how many are missing is said as soon as there is room. @returns ends it
 */
export function startLogSink(log: HubLog, stderr: Output, options: SinkOptions): () => void {
  const least = RANK[options.level];
  const style = createStyle(options.file === undefined && wantsColor(options.env, stderr.isTTY));
  const format = options.format === "json" ? jsonEntry : (entry: LogEntry) => formatEntry(entry, style);
  let fd: number | undefined;
  if (options.file !== undefined) {
    mkdirSync(dirname(options.file), { recursive: true });
    fd = openSync(options.file, "a", 0o600);
  }
  let missing = 0;
  const write = (text: string, lines: number): void => {
    const settled = (error?: unknown) => {
      if (error) missing += lines;
    };
    if (fd === undefined) {
      if (stderr.writableLength > MAX_WAITING_BYTES) settled(true);
      else stderr.write(text, settled);
      return;
    }
    try {
      writeSync(fd, text);
    } catch (error) {
      settled(error);
    }
  };
  const end = log.follow((entry) => {
    if (RANK[entry.level] < least) return;
    const before = missing;
    missing = 0;
    const text = `${before} lines are missing here: they could not be written`;
    const gap = before === 0 ? "" : `${format({ ...entry, source: "hub", level: "warn", text, fields: undefined })}\n`;
    write(`${gap}${format(entry)}\n`, before + 1);
  });
  return () => {
    end();
    if (fd !== undefined) closeSync(fd);
  };
}
