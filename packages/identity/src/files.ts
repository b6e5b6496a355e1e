import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { ErrorCode, HubError } from "@orchestrator/protocol";

/** Tells the operator of something that was mended, or that will fail one day. */
export type Warn = (message: string) => void;

/** No certificate or key comes near it; a wrong file is refused before it fills the memory. */
const MAX_FILE_BYTES = 1024 * 1024;
const POSIX = process.platform !== "win32";
const OTHERS = 0o077;
/** What file systems without hard links answer to one (FAT, some network shares). */
export const NO_HARD_LINKS: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/**
 * Makes `path` a directory that only this user can enter (0700), with its parents. A laxer one is mended where it is clearly
 * ours; a directory that is somebody else's, is shared by everyone or holds other things is refused, never changed.
 * @throws {HubError} `PERMISSION_DENIED`, `FAILED_PRECONDITION`, `RESOURCE_EXHAUSTED`
 */
export function ensurePrivateDirectory(path: string, warn: Warn): void {
  makeDirectories(path);
  // lstat: a link in place of a directory could move every key to where somebody else reads it.
  const stat = lstatSync(path);
  if (!stat.isDirectory()) {
    throw new HubError(ErrorCode.FailedPrecondition, `Cannot use "${path}" for certificates: it is not a directory`);
  }
  if (!POSIX || (stat.mode & OTHERS) === 0) return;
  const mode = `0${(stat.mode & 0o7777).toString(8)}`;
  if (stat.uid !== process.getuid?.()) {
    throw new HubError(
      ErrorCode.PermissionDenied,
      `Cannot use "${path}" for certificates: it belongs to user ${stat.uid} and has mode ${mode}; choose a directory of your own`,
    );
  }
  const entries = readdirSync(path);
  const ours = entries.length === 0 || entries.includes("ca.crt") || entries.includes("ca.key");
  if ((stat.mode & 0o1000) !== 0 || !ours) {
    throw new HubError(
      ErrorCode.PermissionDenied,
      `Cannot use "${path}" for certificates: it has mode ${mode} and other things in it; choose a directory of its own, or run: chmod 700 "${path}"`,
    );
  }
  chmodSync(path, 0o700);
  warn(`Directory "${path}" had mode ${mode}, so that others could enter it; it has 0700 now`);
}

/**
 * The runtime's own recursive mkdir is not used: on a read-only file system it reports "no such file", and below /proc it
 * does not return at all.
 */
function makeDirectories(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EEXIST") return;
    const parent = dirname(path);
    if (code !== "ENOENT" || parent === path || existsSync(parent)) throw fileError("create directory", path, error);
    makeDirectories(parent);
    makeDirectories(path);
  }
}

/** Reads a small text file, wherever a link may lead. @returns undefined where there is none */
export function readSmallFile(path: string): string | undefined {
  return read(path, undefined);
}

/**
 * Reads a small text file of a directory that is ours. A link is refused: it would let whoever may write to the directory
 * choose which file is read. A key with laxer modes than 0600 is mended and warned about.
 * @returns undefined where there is none
 */
export function readOwnFile(path: string, warn: Warn): string | undefined {
  return read(path, warn);
}

function read(path: string, ownerWarn: Warn | undefined): string | undefined {
  const noFollow = ownerWarn === undefined ? 0 : (constants.O_NOFOLLOW ?? 0);
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | noFollow | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return undefined;
    if (noFollow !== 0 && (code === "ELOOP" || code === "EMLINK")) {
      throw new HubError(
        ErrorCode.FailedPrecondition,
        `Cannot read "${path}": it is a symbolic link; put the file itself there`,
      );
    }
    throw fileError("read", path, error);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > MAX_FILE_BYTES) {
      const what = stat.isFile() ? `it has ${stat.size} bytes, at most ${MAX_FILE_BYTES} are read` : "it is not a file";
      throw new HubError(ErrorCode.FailedPrecondition, `Cannot read "${path}": ${what}`);
    }
    if (POSIX && ownerWarn !== undefined && path.endsWith(".key") && (stat.mode & OTHERS) !== 0) {
      fchmodSync(fd, 0o600);
      ownerWarn(
        `Key "${path}" had mode 0${(stat.mode & 0o777).toString(8)}, so that others could read it; it has 0600 now`,
      );
    }
    const bytes = Buffer.alloc(stat.size);
    let length = 0;
    for (let n = 1; n > 0 && length < bytes.length; length += n)
      n = readSync(fd, bytes, length, bytes.length - length, null);
    return bytes.toString("utf8", 0, length);
  } catch (error) {
    throw fileError("read", path, error);
  } finally {
    closeSync(fd);
  }
}

/** Writes beside `path` with mode 0600 and makes it durable there; `rename` then shows it. @returns the path to rename */
export function stageFile(
  path: string,
  text: string,
  stagedPath = `${path}.${randomBytes(6).toString("hex")}.tmp`,
): string {
  let fd: number | undefined;
  try {
    rmSync(stagedPath, { force: true });
    fd = openSync(stagedPath, "wx", 0o600);
    if (POSIX) fchmodSync(fd, 0o600);
    const bytes = Buffer.from(text, "utf8");
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
    closeSync(fd);
    return stagedPath;
  } catch (error) {
    if (fd !== undefined) closeQuietly(fd);
    rmSync(stagedPath, { force: true });
    throw fileError("write", path, error);
  }
}

/** Replaces `path` by what was staged: readers see the old file or the new one, never a part, also after a power cut. */
export function commitFile(stagedPath: string, path: string): void {
  try {
    renameSync(stagedPath, path);
    syncDirectory(dirname(path));
  } catch (error) {
    throw fileError("write", path, error);
  }
}

/** As `commitFile`, but never replaces. @returns false where `path` exists already; it is untouched, what was staged is gone */
export function commitNewFile(stagedPath: string, path: string): boolean {
  try {
    linkSync(stagedPath, path);
    syncDirectory(dirname(path));
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code === "EEXIST") return false;
    if (!NO_HARD_LINKS.has(code)) throw fileError("write", path, error);
    if (existsSync(path)) return false;
    commitFile(stagedPath, path);
    return true;
  } finally {
    rmSync(stagedPath, { force: true });
  }
}

/** Replaces a file as a whole, mode 0600. */
export function writePrivateFile(path: string, text: string): void {
  const staged = stageFile(path, text);
  try {
    commitFile(staged, path);
  } catch (error) {
    rmSync(staged, { force: true });
    throw error;
  }
}

/** A rename is durable only once its directory is. Windows cannot open directories and needs no such step. */
function syncDirectory(path: string): void {
  if (!POSIX) return;
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // The write before it failed already and says why.
  }
}

const HINTS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOSPC: [ErrorCode.ResourceExhausted, "the disk is full; free some space and start again"],
  EDQUOT: [ErrorCode.ResourceExhausted, "the disk quota is used up; free some space and start again"],
  EACCES: [ErrorCode.PermissionDenied, "permission denied; choose a directory that this user may write"],
  EPERM: [ErrorCode.PermissionDenied, "not permitted; choose a directory that this user may write"],
  EROFS: [ErrorCode.PermissionDenied, "the file system is read-only; choose another directory"],
  ENOENT: [ErrorCode.FailedPrecondition, "there is no such directory, and none can be made there"],
  ENOTDIR: [ErrorCode.FailedPrecondition, "a part of the path is not a directory"],
  EEXIST: [ErrorCode.FailedPrecondition, "a file of that name is in the way"],
};

/** Says what was being done to which path, and what to try. */
export function fileError(action: string, path: string, error: unknown): HubError {
  if (error instanceof HubError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const [errorCode, hint] = HINTS[code] ?? [ErrorCode.Internal, (error as Error).message];
  return new HubError(errorCode, `Cannot ${action} "${path}": ${hint}${code === "" ? "" : ` (${code})`}`, {
    cause: error,
  });
}
