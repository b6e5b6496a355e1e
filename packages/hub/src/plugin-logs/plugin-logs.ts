import { join } from "node:path";
import type { LogLevel } from "../hub-log.ts";
import type { JsonObject } from "../json.ts";
import { LogFile } from "./log-file.ts";
import { toLine } from "./log-line.ts";
import { type LogPage, type LogQuery, readLog } from "./read-log.ts";

export interface PluginLogsOptions {
  /** The directory that gets one file per plugin. */
  readonly directory: string;
  readonly rotateBytes?: number;
  /** Why a file is not written for the time being. */
  readonly onError: (id: string, error: Error) => void;
}

/** What plugins write and what happens to them, in one file of JSON lines per plugin: `<directory>/<id>.log`. */
export class PluginLogs {
  readonly #options: PluginLogsOptions;
  readonly #files = new Map<string, LogFile>();

  constructor(options: PluginLogsOptions) {
    this.#options = options;
  }

  /** Never throws, never waits. */
  write(id: string, level: LogLevel, text: string, fields?: JsonObject): void {
    this.#file(id).write(toLine({ timeMs: Date.now(), source: id, level, text, fields }));
  }

  pathOf(id: string): string {
    return join(this.#options.directory, `${id}.log`);
  }

  /** A page of a plugin's log, newest first, over the files that were put aside, too. */
  async read(id: string, query: LogQuery = {}): Promise<LogPage> {
    await this.#files.get(id)?.flush();
    return await readLog(this.pathOf(id), query);
  }

  /** Resolves when everything is in the files. */
  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.close()));
    this.#files.clear();
  }

  #file(id: string): LogFile {
    const known = this.#files.get(id);
    if (known !== undefined) return known;
    const { rotateBytes, onError } = this.#options;
    const file = new LogFile(this.pathOf(id), {
      ...(rotateBytes === undefined ? {} : { rotateBytes }),
      onError: (error) => onError(id, error),
    });
    this.#files.set(id, file);
    return file;
  }
}
