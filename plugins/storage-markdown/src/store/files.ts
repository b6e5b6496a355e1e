import { Buffer } from "node:buffer";
import {
  closeSync,
  constants,
  fsync,
  lstatSync,
  openSync,
  readSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { promisify } from "node:util";
import { systemCode } from "./failures.ts";

// Everything here is synchronous but for what waits on the disk: a small file is read in 6 µs this way and in 50 µs through
// the thread pool, and no other call can come between the steps.

const flush = promisify(fsync);

/** Not through a symbolic link, and without waiting for the other end of a named pipe. Windows knows neither. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** What is at `path`, links not followed; undefined where there is nothing. */
export function inspect(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // A file where a directory should be: there is nothing below it either.
    if (systemCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/**
 * Reads a file that `inspect` has just seen.
 * @param expectedBytes its size at that time; one that has another by now is read whole all the same
 * @throws whatever `inspect` says no to: the callers have looked before, so this is a race
 */
export function readWhole(path: string, expectedBytes: number, maxBytes: number): Uint8Array | "too large" {
  const file = openSync(path, OPEN_FLAGS);
  try {
    // One byte more than there should be: that it is not filled says that this was all, without another question.
    let bytes = new Uint8Array(Math.min(expectedBytes, maxBytes) + 1);
    let length = 0;
    for (;;) {
      const count = readSync(file, bytes, length, bytes.length - length, length);
      length += count;
      if (length < bytes.length) {
        if (count === 0 || length === expectedBytes) return bytes.subarray(0, length);
      } else if (length > maxBytes) {
        return "too large";
      } else {
        const more = new Uint8Array(Math.min(2 * length, maxBytes) + 1);
        more.set(bytes);
        bytes = more;
      }
    }
  } finally {
    closeSync(file);
  }
}

/** The beginning of a small file, as Latin-1. @returns undefined where it cannot be read, or holds more than `maxBytes` */
export function readShort(path: string, maxBytes: number): string | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, OPEN_FLAGS);
    const bytes = Buffer.allocUnsafe(maxBytes + 1);
    const length = readSync(file, bytes, 0, bytes.length, 0);
    return length > maxBytes ? undefined : bytes.toString("latin1", 0, length);
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Makes a file that was not there, and waits until its bytes are on the disk. */
export async function writeDurably(path: string, bytes: Uint8Array | string): Promise<void> {
  const file = openSync(path, "wx", 0o644);
  try {
    writeFileSync(file, bytes);
    await flush(file);
  } finally {
    closeSync(file);
  }
}

/** Waits until the names in a directory are on the disk. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open directories; NTFS writes its journal on its own.
  if (process.platform === "win32") return;
  const directory = openSync(path, "r");
  try {
    await flush(directory);
  } catch (error) {
    // Some network file systems have no such operation.
    if (systemCode(error) !== "EINVAL" && systemCode(error) !== "ENOTSUP") throw error;
  } finally {
    closeSync(directory);
  }
}

export function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}
