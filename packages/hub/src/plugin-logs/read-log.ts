import { open } from "node:fs/promises";
import { rotatedFiles } from "./log-file.ts";
import { LOG_LEVELS, type PluginLogLevel, type PluginLogLine, parseLevel } from "./log-line.ts";

/** Read at once, from the end of a file towards its start. */
const CHUNK_BYTES = 64 * 1024;
/** No line is longer: the hub cuts them, and their JSON is at most six times as long. A longer one is not the hub's. */
const MAX_LINE_BYTES = 1024 * 1024;

export interface LogQuery {
  /** Counts from 0, which is the newest. */
  readonly page?: number;
  /** Lines on a page, 1 000 at most. Default 100. */
  readonly pageSize?: number;
  /** The least severe level that is wanted. */
  readonly level?: PluginLogLevel | undefined;
}

export interface LogPage {
  /** Newest first. */
  readonly lines: readonly PluginLogLine[];
  readonly page: number;
  readonly pageSize: number;
}

/** Reads a page of a log and no more of the files than it needs. A file that is not there has no lines. */
export async function readLog(path: string, query: LogQuery = {}): Promise<LogPage> {
  const page = Math.max(0, Math.trunc(query.page ?? 0));
  const pageSize = Math.min(1_000, Math.max(1, Math.trunc(query.pageSize ?? 100)));
  const least = query.level === undefined ? 0 : LOG_LEVELS.indexOf(query.level);
  const lines: PluginLogLine[] = [];
  let skip = page * pageSize;
  for (const file of [path, ...(await rotatedFiles(path))]) {
    for await (const text of linesBackwards(file)) {
      const line = parseLine(text);
      if (line === undefined || LOG_LEVELS.indexOf(line.level) < least) continue;
      if (skip > 0) skip -= 1;
      else lines.push(line);
      if (lines.length === pageSize) return { lines, page, pageSize };
    }
  }
  return { lines, page, pageSize };
}

/** A line that something else put into the file is shown as it is; half a line, as a power cut leaves it, is not. */
function parseLine(text: string): PluginLogLine | undefined {
  if (text === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { timestamp, level, message, plugin, ...rest } = value as Readonly<Record<string, unknown>>;
  return {
    timestamp: String(timestamp ?? ""),
    level: parseLevel(level) ?? "Info",
    message: String(message ?? ""),
    plugin: String(plugin ?? ""),
    ...rest,
  };
}

/** The lines of a file, last one first. */
async function* linesBackwards(path: string): AsyncGenerator<string> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return;
  try {
    let position = (await file.stat()).size;
    let held = Buffer.alloc(0);
    while (position > 0) {
      const length = Math.min(CHUNK_BYTES, position);
      position -= length;
      const chunk = Buffer.alloc(length);
      await file.read(chunk, 0, length, position);
      held = Buffer.concat([chunk, held]);
      for (let end = held.lastIndexOf(10); end !== -1; end = held.lastIndexOf(10)) {
        yield held.toString("utf8", end + 1);
        held = held.subarray(0, end);
      }
      if (held.length > MAX_LINE_BYTES) held = Buffer.alloc(0);
    }
    yield held.toString("utf8");
  } finally {
    await file.close();
  }
}
