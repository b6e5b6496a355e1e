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

/** Writes the hub's log to standard error or to the configured file. @returns ends it */
export function startLogSink(log: HubLog, stderr: Output, options: SinkOptions): () => void {
  const least = RANK[options.level];
  const style = createStyle(options.file === undefined && wantsColor(options.env, stderr.isTTY));
  const format = options.format === "json" ? jsonEntry : (entry: LogEntry) => formatEntry(entry, style);
  let fd: number | undefined;
  if (options.file !== undefined) {
    mkdirSync(dirname(options.file), { recursive: true });
    fd = openSync(options.file, "a", 0o600);
  }
  const end = log.follow((entry) => {
    if (RANK[entry.level] < least) return;
    const line = `${format(entry)}\n`;
    if (fd === undefined) stderr.write(line);
    else writeSync(fd, line);
  });
  return () => {
    end();
    if (fd !== undefined) closeSync(fd);
  };
}
