import { type FileHandle, mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A file that has grown beyond this is put aside; so many of those are kept. */
export const ROTATE_BYTES = 10 * 1024 * 1024;
export const KEPT_FILES = 5;
/** Text that may wait for the disk. What comes on top is dropped, and counted in the file. */
const MAX_WAITING_CHARS = 4 * 1024 * 1024;

/** Lines of this time, in milliseconds, go to the disk together: a plugin that chatters would keep the hub busy with writing. */
const GATHER_MS = 20;

/** A disk that is full has room again, and a directory that is missing is made again; it is not asked for each line. */
const RETRY_MS = 5_000;

export interface LogFileOptions {
  readonly rotateBytes?: number;
  readonly keptFiles?: number;
  /** From one failure to the next try, in milliseconds. */
  readonly retryMs?: number;
  /** Why nothing is written for the time being, once until something is written again. */
  readonly onError: (error: Error) => void;
}

/**
 * Appends lines to one file, without ever making its caller wait: lines that come meanwhile go with the next write. A full file
 * becomes `<name>-YYYYMMDD-HHMMSS.log`.
 */
export class LogFile {
  readonly #path: string;
  readonly #options: Required<LogFileOptions>;
  #waiting: string[] = [];
  #waitingChars = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;
  #file: FileHandle | undefined;
  #size = 0;
  /** What is written failed last. */
  #isBroken = false;
  #retryAtMs = 0;
  /** Ends the time in which lines are gathered. */
  #hurry: (() => void) | undefined;

  constructor(path: string, options: LogFileOptions) {
    this.#path = path;
    this.#options = { rotateBytes: ROTATE_BYTES, keptFiles: KEPT_FILES, retryMs: RETRY_MS, ...options };
  }

  /** @param line with its line break */
  write(line: string): void {
    const isLost = this.#isBroken && performance.now() < this.#retryAtMs;
    if (isLost || this.#waitingChars > MAX_WAITING_CHARS) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingChars += line.length;
    this.#writing ??= this.#run();
  }

  /** Resolves when everything that was written until now is in the file. */
  async flush(): Promise<void> {
    this.#hurry?.();
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#file?.close();
    this.#file = undefined;
  }

  async #run(): Promise<void> {
    let unwritten = 0;
    try {
      while (this.#waiting.length > 0) {
        await this.#gather();
        const lines = this.#waiting;
        unwritten = this.#dropped + lines.length;
        if (this.#dropped > 0) lines.push(this.#droppedLine());
        this.#waiting = [];
        this.#waitingChars = 0;
        await this.#append(Buffer.from(lines.join("")));
        unwritten = 0;
        this.#isBroken = false;
        if (this.#size >= this.#options.rotateBytes) await this.#rotate();
      }
    } catch (reason) {
      await this.#failed(reason as Error, unwritten);
    } finally {
      this.#writing = undefined;
    }
  }

  async #failed(error: Error, unwritten: number): Promise<void> {
    this.#dropped += unwritten + this.#waiting.length;
    this.#waiting = [];
    this.#waitingChars = 0;
    this.#retryAtMs = performance.now() + this.#options.retryMs;
    await this.#file?.close().catch(() => {});
    this.#file = undefined;
    if (!this.#isBroken) this.#options.onError(error);
    this.#isBroken = true;
  }

  async #gather(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, GATHER_MS);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#hurry = undefined;
  }

  async #append(bytes: Buffer): Promise<void> {
    const file = this.#file ?? (await this.#open());
    await file.appendFile(bytes);
    this.#size += bytes.length;
  }

  async #open(): Promise<FileHandle> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const file = await open(this.#path, "a+", 0o600);
    this.#file = file;
    this.#size = (await file.stat()).size;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, this.#size - 1));
    // Half a line is left of a disk that was full, or of a power cut: the next one shall not be lost with it.
    if (bytesRead === 1 && buffer[0] !== 10) await file.appendFile("\n");
    return file;
  }

  async #rotate(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    const [newest] = await rotatedFiles(this.#path);
    await rename(this.#path, nextName(this.#path, newest));
    const files = await rotatedFiles(this.#path);
    for (const old of files.slice(this.#options.keptFiles)) await unlink(old);
  }

  #droppedLine(): string {
    const message = `${this.#dropped} lines were dropped because the disk did not take them, or not as fast as they came`;
    this.#dropped = 0;
    const plugin = basename(this.#path, ".log");
    return `${JSON.stringify({ timestamp: new Date().toISOString(), level: "Warn", message, plugin })}\n`;
  }
}

/** The files that were put aside for this one, newest first. The name is matched as a whole: "a" has nothing of "a-b". */
export async function rotatedFiles(path: string): Promise<string[]> {
  const stem = basename(path, ".log");
  const names = await readdir(dirname(path)).catch(() => []);
  return names
    .filter((name) => name.startsWith(stem) && /^-\d{8}-\d{6}(?:\.\d+)?\.log$/.test(name.slice(stem.length)))
    .sort(byAge)
    .reverse()
    .map((name) => join(dirname(path), name));
}

/** When a file was put aside, and its number among those of one second. */
function ageOf(name: string): { readonly stamp: string; readonly count: number } {
  const [, stamp = "", count = "0"] = /-(\d{8}-\d{6})(?:\.(\d+))?\.log$/.exec(name) ?? [];
  return { stamp, count: Number(count) };
}

function byAge(nameA: string, nameB: string): number {
  const [a, b] = [ageOf(nameA), ageOf(nameB)];
  return a.stamp === b.stamp ? a.count - b.count : a.stamp < b.stamp ? -1 : 1;
}

/** A name that sorts after every other one, also within one second and when the clock steps back. */
function nextName(path: string, newest: string | undefined): string {
  const stamp = new Date().toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
  const stem = path.slice(0, -".log".length);
  const last = newest === undefined ? undefined : ageOf(newest);
  if (last === undefined || last.stamp < stamp) return `${stem}-${stamp}.log`;
  return `${stem}-${last.stamp}.${last.count + 1}.log`;
}
